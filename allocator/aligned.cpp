// Blocks whose start is not where mimalloc's was: alignments that it gets wrong, and leaves.
#include "allocator/memory.h"
#include "allocator/record.h"

namespace heaprake::heap {
namespace {

constexpr bool is_aligned(uintptr_t p, size_t alignment) {
  return (p & (alignment - 1)) == 0;
}

// A titled block inside memory that is large enough for any place of its start.
void* allocate_titled(size_t bytes, size_t asked, size_t alignment, bool leaf) {
  Memory memory = obtain(bytes + alignment, false);
  if (!memory.p) return no_memory();
  uintptr_t p = (memory.p + sizeof(Title) + alignment - 1) & ~(alignment - 1);
  *reinterpret_cast<void**>(p) = nullptr;
  fast::allocated_bytes += bytes;
  record_titled(p, bytes, asked, leaf, reinterpret_cast<void*>(memory.p));
  return reinterpret_cast<void*>(p);
}

}  // namespace

void* allocate_aligned(size_t alignment, size_t size) {
  if (alignment <= kGranule) return allocate(size);
  size_t bytes = recorded_length(size);
  if (!bytes || alignment > PTRDIFF_MAX - bytes || !ready()) return no_memory();
  Memory memory = obtain_aligned(bytes, alignment);
  if (!memory.p) return no_memory();
  if (!is_aligned(memory.p, alignment)) {
    // mimalloc 2.0.9, alignments 256 to 1024.
    give_back(reinterpret_cast<void*>(memory.p));
    return allocate_titled(bytes, size, alignment, false);
  }
  auto* p = reinterpret_cast<void**>(memory.p);
  if (!memory.wide) *p = nullptr;
  fast::allocated_bytes += bytes;
  (memory.wide ? record_wide : record)(memory.p, bytes, size);
  return p;
}

void* allocate_leaf(size_t size) {
  size_t bytes = recorded_length(size);
  if (!bytes || !ready()) return no_memory();
  return allocate_titled(bytes, size, kGranule, true);
}

}  // namespace heaprake::heap
