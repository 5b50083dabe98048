// A growable array on mapped pages, for use while the world is stopped: no heap, no exceptions.
// Growth may fail; every caller checks, and a collection that runs out of memory frees nothing.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>

#include "platform/platform.h"

namespace heaprake::collector {

template <class T>
class MappedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  constexpr MappedArray() = default;
  MappedArray(const MappedArray&) = delete;
  MappedArray& operator=(const MappedArray&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

  bool push(const T& value) {
    if (size_ == capacity_ && !reserve(size_ + 1)) return false;
    data_[size_++] = value;
    return true;
  }
  T pop() { return data_[--size_]; }
  void clear() { size_ = 0; }
  // The caller has written up to `size` elements itself, within the reserved capacity.
  void set_size(size_t size) { size_ = size; }

  // Room for at least `wanted` elements. false: out of memory, nothing changed.
  bool reserve(size_t wanted) {
    if (wanted <= capacity_) return true;
    size_t bytes = capacity_ ? capacity_ * sizeof(T) * 2 : 16 * platform::kPageSize;
    while (bytes < wanted * sizeof(T)) bytes *= 2;
    T* grown = static_cast<T*>(platform::map(bytes));
    if (!grown) return false;
    if (bytes >= kHugeBytes) platform::advise_huge(grown, bytes);
    if (size_) memcpy(grown, data_, size_ * sizeof(T));
    release();
    data_ = grown;
    capacity_ = bytes / sizeof(T);
    return true;
  }
  // Gives the memory back if there is more of it than `keep_bytes`. The content is lost.
  void shrink(size_t keep_bytes) {
    size_ = 0;
    if (capacity_ * sizeof(T) <= keep_bytes) return;
    release();
    data_ = nullptr;
    capacity_ = 0;
  }

 private:
  // From this size on the array is filled faster with huge pages, and what they waste is little.
  static constexpr size_t kHugeBytes = 8 << 20;

  void release() {
    if (data_) platform::release(data_, capacity_ * sizeof(T));
  }
  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;  // a whole number of pages' worth, rounded down
};

}  // namespace heaprake::collector
