// Columns of a snapshot that are mostly small numbers, and narrow as long as they are: with
// seventeen million blocks every byte of an entry is sixteen MiB.
//
// Filled from the front, then only looked at, from any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace heaprake::cli {

// Sizes: four bytes each, but for those of 4 GiB and more.
class Sizes {
 public:
  void reserve(size_t count) { low_.reserve(count); }
  void push_back(uint64_t size) {
    if (size >= kLarge) large_.emplace_back(low_.size(), size);
    low_.push_back(static_cast<uint32_t>(std::min<uint64_t>(size, kLarge)));
  }
  size_t size() const { return low_.size(); }
  uint64_t operator[](size_t i) const { return low_[i] < kLarge ? low_[i] : large(i); }
  uint64_t back() const { return (*this)[low_.size() - 1]; }

 private:
  static constexpr uint32_t kLarge = UINT32_MAX;

  uint64_t large(size_t i) const {
    return std::lower_bound(large_.begin(), large_.end(), std::pair<size_t, uint64_t>(i, 0))
        ->second;
  }

  std::vector<uint32_t> low_;                       // kLarge: see large_
  std::vector<std::pair<size_t, uint64_t>> large_;  // in order of their places
};

// Where the rows of something begin: ascending numbers, four bytes each and a little for each
// thousand of them. Those of one thousand differ by less than 4 Gi, or `holds` says no.
class Rows {
 public:
  Rows() = default;
  Rows(std::initializer_list<uint64_t> numbers) {
    for (uint64_t number : numbers) push_back(number);
  }

  void reserve(size_t count) {
    low_.reserve(count);
    base_.reserve(count / kStep + 1);
  }
  void push_back(uint64_t number) {
    if (low_.size() % kStep == 0) base_.push_back(number);
    low_.push_back(static_cast<uint32_t>(number - base_.back()));
  }
  // Whether the number could be the last one, or the one after it.
  bool holds(uint64_t number) const { return low_.empty() || number - base_.back() <= UINT32_MAX; }
  void set_back(uint64_t number) { low_.back() = static_cast<uint32_t>(number - base_.back()); }

  bool empty() const { return low_.empty(); }
  size_t size() const { return low_.size(); }
  uint64_t operator[](size_t i) const { return base_[i / kStep] + low_[i]; }
  uint64_t back() const { return (*this)[low_.size() - 1]; }

 private:
  static constexpr size_t kStep = 1024;

  std::vector<uint64_t> base_;  // the first of each kStep numbers
  std::vector<uint32_t> low_;   // from there
};

// A block's known words, each without the zero bytes at its upper end. A block's entry: so many
// words as a varint of one or more bytes; their lengths, two to a byte, the lower half first; the
// bytes of the words. No entry: no words. To be looked at word by word; who needs many of them
// takes all.
class PackedWords {
 public:
  PackedWords() = default;
  PackedWords(const uint8_t* begin, const uint8_t* end) {
    if (begin == end) return;
    for (unsigned shift = 0;; shift += 7) {
      const uint8_t byte = *begin++;
      count_ |= static_cast<size_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    lengths_ = begin;
  }

  bool empty() const { return count_ == 0; }
  size_t size() const { return count_; }
  uint64_t operator[](size_t i) const {
    const uint8_t* at = lengths_ + (count_ + 1) / 2;
    for (size_t before = 0; before < i; ++before) at += length(before);
    return word_at(at, length(i));
  }
  std::vector<uint64_t> all() const {
    std::vector<uint64_t> words(count_);
    const uint8_t* at = lengths_ + (count_ + 1) / 2;
    for (size_t i = 0; i < count_; at += length(i++)) words[i] = word_at(at, length(i));
    return words;
  }

  // Appends an entry for little-endian words, which need not be aligned.
  static void pack(const char* words, size_t count, std::vector<uint8_t>* to);
  // How long that would be.
  static size_t packed_size(const char* words, size_t count);

 private:
  size_t length(size_t i) const { return lengths_[i / 2] >> (i % 2 * 4) & 15; }
  static uint64_t word_at(const uint8_t* at, size_t length) {
    uint64_t word = 0;
    for (size_t i = 0; i < length; ++i) word |= uint64_t{at[i]} << (i * 8);
    return word;
  }

  const uint8_t* lengths_ = nullptr;
  size_t count_ = 0;
};

}  // namespace heaprake::cli
