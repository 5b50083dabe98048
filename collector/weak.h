// Weak references: a word each, outside the heap, that holds the address plainly.
//
// Our own memory is never scanned, so the word keeps nothing alive. It is read by one load: a
// thread that is stopped before it will find what a collection has left there; one that is stopped
// after it holds the address in a register, which is a root. Hence no lock to read it. It is
// written under the lock of Notes, or while the world is stopped.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "heaprake/gc.h"

// Opaque in gc.h.
struct gc_weak {
  std::atomic<uintptr_t> target;  // what was asked for, maybe inside the block; 0: it is gone
  uintptr_t block;                // its block's address; 0: it is gone
  gc_weak* next;                  // of the same block, or free
  size_t count;                   // of gc_weak_new less gc_weak_free; 0: not in use
};

namespace heaprake::collector {

// Their memory: in chunks that stay, each twice as large as the last.
class WeakPool {
 public:
  // Not in use: count is 0. nullptr when out of memory.
  gc_weak* take();
  void give_back(gc_weak* weak);
  // Whether the address is that of a weak reference in use. Any thread, no lock.
  bool holds(const gc_weak* weak) const;

 private:
  static constexpr size_t kChunks = 32;
  static constexpr size_t kFirstChunk = 128;  // entries

  std::atomic<gc_weak*> chunks_[kChunks] = {};
  size_t chunk_count_ = 0;
  size_t fresh_ = 0;  // entries of the last chunk that were handed out at least once
  gc_weak* free_ = nullptr;
};

}  // namespace heaprake::collector
