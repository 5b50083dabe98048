#include "cli/snapshot/columns.h"

#include <bit>
#include <cstring>

namespace heaprake::cli {

namespace {

uint64_t word_of(const char* words, size_t i) {
  uint64_t word;
  std::memcpy(&word, words + i * sizeof word, sizeof word);
  return word;
}

size_t length_of(uint64_t word) {
  return (static_cast<size_t>(std::bit_width(word)) + 7) / 8;
}

size_t bytes_of_count(size_t count) {
  size_t bytes = 1;
  while (count >>= 7) ++bytes;
  return bytes;
}

}  // namespace

size_t PackedWords::packed_size(const char* words, size_t count) {
  if (count == 0) return 0;
  size_t bytes = bytes_of_count(count) + (count + 1) / 2;
  for (size_t i = 0; i < count; ++i) bytes += length_of(word_of(words, i));
  return bytes;
}

void PackedWords::pack(const char* words, size_t count, std::vector<uint8_t>* to) {
  if (count == 0) return;
  size_t rest = count;
  for (; rest >= 0x80; rest >>= 7) to->push_back(static_cast<uint8_t>(rest | 0x80));
  to->push_back(static_cast<uint8_t>(rest));
  const size_t lengths = to->size();
  to->resize(lengths + (count + 1) / 2);
  for (size_t i = 0; i < count; ++i) {
    const uint64_t word = word_of(words, i);
    const size_t length = length_of(word);
    (*to)[lengths + i / 2] |= static_cast<uint8_t>(length << (i % 2 * 4));
    to->insert(to->end(), words + i * sizeof word, words + i * sizeof word + length);
  }
}

}  // namespace heaprake::cli
