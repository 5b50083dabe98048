// A list in blocks of one size, each written full.
#pragma once

#include <cstring>

#include "allocator/heap.h"

inline void* make_list(size_t size, size_t total) {
  void* last = nullptr;
  for (size_t bytes = 0; bytes < total; bytes += size) {
    void* p = heaprake::heap::allocate(size);
    std::memset(p, 1, size);
    *static_cast<void**>(p) = last;
    last = p;
  }
  return last;
}

inline void free_list(void* last) {
  while (last) {
    void* p = last;
    last = *static_cast<void**>(p);
    heaprake::heap::release(p);
  }
}
