// glibc's layout, unchanged since 2.3 (malloc/malloc.c, malloc/arena.c):
//
//   p - 16  size of the chunk before, if that is free; chunk of its own mapping: offset in it
//   p - 8   size of this chunk, and three flags
//   p       the program's bytes
//
// A chunk of the main arena lies in the brk heap; one of another arena in a heap of 64 MiB, aligned
// to its size, that begins with heap_info; a big one has a mapping of its own. While the loader
// relocates, malloc does not know yet that this libc is the first one: it leaves the brk heap alone
// then, and the main arena lies in mappings.
#include "shim/glibc_blocks.h"

#include <dlfcn.h>

#include <atomic>
#include <cstdint>
#include <cstring>

#include "allocator/heap.h"
#include "platform/platform.h"

extern "C" void* __libc_malloc(size_t);
extern "C" void* __libc_calloc(size_t, size_t);
extern "C" void* __libc_memalign(size_t, size_t);
extern "C" void __libc_free(void*);
extern "C" void* __libc_realloc(void*, size_t);

namespace heaprake::shim {
namespace {

using platform::AddressSpace;
using platform::kPageSize;
using platform::Range;

constexpr uintptr_t kPreviousInUse = 1, kOwnMapping = 2, kOtherArena = 4, kFlags = 7;
constexpr size_t kChunkHeader = 16, kSmallestChunk = 32;
constexpr uintptr_t kArenaHeap = 64u << 20;

struct Chunk {
  uintptr_t previous, size_and_flags;
  uintptr_t size() const { return size_and_flags & ~kFlags; }
};

struct HeapInfo {
  uintptr_t arena, previous_heap, size;
};

struct Place {
  Range range;
  bool writable = false, brk_heap = false;
};

// Where the blocks lie that were handed out before there was a heap, and what they have grown to.
constinit std::atomic<uintptr_t> lowest{UINTPTR_MAX}, highest{0};

bool may_be_early(uintptr_t p) {
  return p >= lowest && p <= highest;
}
void* noted(void* p, bool early = !heap::ready()) {
  if (!p || !early) return p;
  const auto address = reinterpret_cast<uintptr_t>(p);
  if (address < lowest) lowest = address;
  if (address > highest) highest = address;
  return p;
}

template <class T>
bool read(const AddressSpace& space, uintptr_t from, T* to) {
  return space.read_guarded(to, from, sizeof *to) == sizeof *to;
}

Place find_place(const AddressSpace& space, uintptr_t address) {
  Place place;
  space.for_each_mapping([&](const platform::Mapping& mapping) {
    if (!mapping.range.contains(address)) return mapping.range.lo <= address;
    place = {mapping.range, mapping.readable && mapping.writable && !mapping.shared,
             std::strcmp(mapping.name, "[heap]") == 0};
    return false;
  });
  return place;
}

// Of a chunk in use, whatever its arena, the next one knows.
bool next_knows(const AddressSpace& space, uintptr_t chunk, uintptr_t size, uintptr_t end) {
  Chunk next;
  return size >= kSmallestChunk && size < end - chunk && read(space, chunk + size, &next) &&
         (next.size_and_flags & kPreviousInUse);
}

bool has_own_mapping(const Chunk& chunk, uintptr_t address, Range range) {
  uintptr_t start = address - chunk.previous;
  return start % kPageSize == 0 && (chunk.previous + chunk.size()) % kPageSize == 0 &&
         chunk.size() >= kSmallestChunk && start >= range.lo && chunk.size() <= range.hi - address;
}

bool looks_like_a_block(const AddressSpace& space, uintptr_t p) {
  uintptr_t address = p - kChunkHeader;
  Place place = find_place(space, address);
  Chunk chunk;
  if (!place.writable || !read(space, address, &chunk)) return false;
  if (chunk.size_and_flags & kOwnMapping) return has_own_mapping(chunk, address, place.range);
  if (place.brk_heap || may_be_early(p)) {
    return !(chunk.size_and_flags & kOtherArena) &&
           next_knows(space, address, chunk.size(), place.range.hi);
  }
  HeapInfo heap;
  uintptr_t heap_start = address & ~(kArenaHeap - 1);
  return (chunk.size_and_flags & kOtherArena) && read(space, heap_start, &heap) &&
         heap.arena != 0 && heap.size % kPageSize == 0 && heap.size <= kArenaHeap &&
         address - heap_start < heap.size &&
         next_knows(space, address, chunk.size(), heap_start + heap.size);
}

}  // namespace

bool is_glibc_block(const void* p) {
  if (!heap::ready()) return true;  // there are no others
  auto address = reinterpret_cast<uintptr_t>(p);
  if (address % 16 != 0 || address < kPageSize) return false;
  AddressSpace space;
  if (!space.open()) return false;
  bool found = looks_like_a_block(space, address);
  space.close();
  return found;
}

void* glibc_malloc(size_t size) {
  return noted(__libc_malloc(size));
}
void* glibc_calloc(size_t count, size_t size) {
  return noted(__libc_calloc(count, size));
}
void* glibc_aligned(size_t alignment, size_t size) {
  return noted(__libc_memalign(alignment, size));
}
void glibc_free(void* p) {
  __libc_free(p);
}
void* glibc_realloc(void* p, size_t size) {
  const bool early = !heap::ready() || may_be_early(reinterpret_cast<uintptr_t>(p));
  return noted(__libc_realloc(p, size), early);
}

size_t glibc_usable_size(void* p) {
  using UsableSize = size_t(void*);
  auto* usable_size = reinterpret_cast<UsableSize*>(dlsym(RTLD_NEXT, "malloc_usable_size"));
  return usable_size ? usable_size(p) : 0;
}

}  // namespace heaprake::shim
