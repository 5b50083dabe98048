// malloc, calloc and free: the fast paths, and what they fall back on.
#include "allocator/heap.h"

#include <mimalloc.h>

#include <bit>
#include <cstring>

#include "allocator/configuration.h"
#include "allocator/memory.h"
#include "allocator/mimalloc_host.h"
#include "allocator/misuse.h"
#include "allocator/record.h"
#include "allocator/space.h"
#include "allocator/wide.h"

namespace heaprake::heap {

Config config;

namespace {

// What the fast paths read, together in one cache line.
struct alignas(64) Fast {
  uintptr_t base = 0;
  uint8_t* map = nullptr;
  size_t granules = 0;  // of the range; 0 before init: no address is in it
  size_t limit = 0;  // blocks of fewer granules are allocated here; 0 before init and in hunt mode
};
Fast fast;

platform::Mutex init_lock;
bool is_ready;

void* allocate_slow(size_t size, bool zeroed) {
  size_t bytes = recorded_length(size);
  if (!bytes || !ready()) return no_memory();
  Memory memory = obtain(bytes, zeroed);
  if (!memory.p) return no_memory();
  auto* p = reinterpret_cast<void**>(memory.p);
  if (!zeroed && !memory.wide) *p = nullptr;
  allocated_bytes += bytes;
  (memory.wide ? record_wide : record)(memory.p, bytes, size);
  return p;
}

__attribute__((noinline, cold)) void* allocate_uncommon(size_t size) {
  return allocate_slow(size, false);
}
__attribute__((noinline, cold)) void* allocate_zeroed_uncommon(size_t size) {
  return allocate_slow(size, true);
}

// Large and titled blocks, and addresses that are no block.
__attribute__((noinline)) void release_uncommon(void* p) {
  if (!is_block_start(p, "free")) return;
  auto address = reinterpret_cast<uintptr_t>(p);
  void* origin = *byte_of(address) == kTitled ? title_of(address)->origin : p;
  withdraw(address);
  give_back(origin);
}

}  // namespace

bool init(const Config& wanted) {
  init_lock.lock();
  if (!is_ready && space::reserve(wanted.record_sizes) && wide::start()) {
    config = wanted;
    heaprake_mimalloc_configure();
    start_polling();
    is_ready = wide::extend_arena();
    if (is_ready) {
      fast.base = geometry.base;
      fast.map = geometry.map;
      fast.granules = geometry.size / kGranule;
      // Padding and the table of sizes asked for are the slow path's business.
      fast.limit = wanted.pad || wanted.record_sizes ? 0 : kMaxSmallGranules;
    }
  }
  bool result = is_ready;
  init_lock.unlock();
  return result;
}

bool ready() {
  return fast.granules != 0;
}

void* allocate(size_t size) {
  size_t last = (size - 1) / kGranule;  // size 0 wraps to what no limit admits
  if (last >= fast.limit) return allocate_uncommon(size);
  size_t bytes = (last + 1) * kGranule;
  void* p = mi_malloc(bytes);
  if (!p) [[unlikely]]
    return allocate_uncommon(size);
  // mimalloc leaves the address of another free block here, which would soon be a false reference.
  *static_cast<void**>(p) = nullptr;
  allocated_bytes += bytes;
  fast.map[(reinterpret_cast<uintptr_t>(p) - fast.base) / kGranule] =
      static_cast<uint8_t>(last + 1);
  return p;
}

void* allocate_zeroed(size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) return no_memory();
  size_t last = (total - 1) / kGranule;
  if (last >= fast.limit) return allocate_zeroed_uncommon(total);
  size_t bytes = (last + 1) * kGranule;
  void* p = mi_zalloc(bytes);
  if (!p) [[unlikely]]
    return allocate_zeroed_uncommon(total);
  allocated_bytes += bytes;
  publish(reinterpret_cast<uintptr_t>(p), static_cast<uint8_t>(last + 1));
  return p;
}

void release(void* p) {
  // The rotation brings the low four bits to the top: a misaligned address is far out of range.
  size_t granule = std::rotr(reinterpret_cast<uintptr_t>(p) - fast.base, 4);
  if (granule < fast.granules) [[likely]] {
    uint8_t byte = fast.map[granule];
    if (static_cast<uint8_t>(byte - 1) < kMaxSmallGranules) [[likely]] {
      *static_cast<volatile uint8_t*>(fast.map + granule) = 0;
      std::atomic_signal_fence(std::memory_order_seq_cst);
      return mi_free(p);
    }
  }
  release_uncommon(p);
}

bool trim() {
  if (!ready()) return false;
  mi_collect(true);
  return true;
}

}  // namespace heaprake::heap
