#include "allocator/space.h"

#include <atomic>

#include "allocator/huge_growth.h"
#include "allocator/mimalloc_host.h"

namespace heaprake::heap {

Geometry geometry;

namespace space {
namespace {

constexpr size_t kMaxRange = size_t{1} << 40;
constexpr size_t kMinRange = kChunk;
constexpr size_t kLargeUnit = 2048;         // bytes per entry of large_bytes
constexpr size_t kMapWorthDiscarding = 16;  // slices: 64 KiB of the map
static_assert(kSliceSize / kGranule == platform::kPageSize, "a slice's part of the map is a page");
// Words count at 4-byte alignment, so an address should not look like a mix of two unrelated
// halves: its upper half is no small number, no float of a common size, no text.
constexpr uintptr_t kHints[] = {0x5a3c'0000'0000, 0x6b2c'0000'0000, 0x4d5c'0000'0000, 0};

std::atomic<uintptr_t> end_of_arenas{0};
std::atomic<size_t> limit_slice{0};
std::atomic<size_t> committed_slices{0};
platform::Mutex table_lock;

// By chunk: 1 once the tables' parts for it are committed. Read without the lock.
std::atomic<uint8_t> tables_ready[kMaxRange / kChunk];
// By slice, written by whoever owns it; the slices of a huge page have one owner.
uint8_t* slice_state;
constexpr uint8_t kCounted = 1;  // its memory counts as committed
constexpr uint8_t kSpare = 2;    // committed with a huge page, and not used yet

size_t slice_of(uintptr_t p) {
  return (p - geometry.base) / kSliceSize;
}

template <class T>
T* reserve_table(size_t entries) {
  void* p = platform::reserve(entries * sizeof(T), platform::kPageSize, 0);
  if (p && !platform::make_readable(p, entries * sizeof(T))) {
    platform::release(p, entries * sizeof(T));
    p = nullptr;
  }
  return static_cast<T*>(p);
}

template <class T>
void release_table(T* table, size_t entries) {
  if (table) platform::release(table, entries * sizeof(T));
}

// Commits the pages of the table that hold entries [first, last).
template <class T>
bool commit_entries(T* table, size_t first, size_t last) {
  auto lo = reinterpret_cast<uintptr_t>(table + first) & ~(platform::kPageSize - 1);
  auto hi = reinterpret_cast<uintptr_t>(table + last);
  hi = (hi + platform::kPageSize - 1) & ~(platform::kPageSize - 1);
  return platform::commit(reinterpret_cast<void*>(lo), hi - lo);
}

bool commit_tables(size_t chunk) {
  size_t lo = chunk * kChunk;
  size_t hi = lo + kChunk;
  if (hi > geometry.size) hi = geometry.size;
  return commit_entries(geometry.map, lo / kGranule, hi / kGranule) &&
         commit_entries(geometry.large_bytes, lo / kLargeUnit, hi / kLargeUnit) &&
         commit_entries(geometry.slice_owner, lo / kSliceSize, hi / kSliceSize) &&
         commit_entries(geometry.slice_used, lo / kSliceSize, hi / kSliceSize) &&
         commit_entries(slice_state, lo / kSliceSize, hi / kSliceSize);
}

bool ensure_tables(uintptr_t lo, uintptr_t hi) {
  for (size_t chunk = (lo - geometry.base) / kChunk; chunk <= (hi - 1 - geometry.base) / kChunk;
       ++chunk) {
    if (tables_ready[chunk].load(std::memory_order_acquire)) continue;
    table_lock.lock();
    bool done = commit_tables(chunk);
    if (done) tables_ready[chunk].store(1, std::memory_order_release);
    table_lock.unlock();
    if (!done) return false;
  }
  return true;
}

// Memory in the range counts as address space from the start. So a limit that the program sets
// itself would never be felt; it is here.
bool within_limit(size_t bytes) {
  return committed_slices.load(std::memory_order_relaxed) * kSliceSize + bytes <=
         platform::address_space_limit();
}

// Makes memory readable and writable. Every piece may cost the kernel a mapping more, and it has a
// limit for those; the whole chunk joins what lies beside it.
bool commit_memory(uintptr_t lo, size_t bytes) {
  if (platform::commit(reinterpret_cast<void*>(lo), bytes)) return true;
  uintptr_t chunk = lo & ~(kChunk - 1);
  size_t chunk_bytes = ((lo + bytes + kChunk - 1) & ~(kChunk - 1)) - chunk;
  return platform::commit(reinterpret_cast<void*>(chunk), chunk_bytes);
}

// Commits the huge page that holds slices [first, last), if that is worthwhile and nobody has used
// any of it. Only what mimalloc asks for for pages of small blocks is used in the order in which it
// is committed; large blocks may never be touched, and follow the first slices of many a segment.
bool commit_huge_page(size_t first, size_t last) {
  constexpr size_t kSlices = platform::kHugePage / kSliceSize;
  const size_t lo = first / kSlices * kSlices, hi = lo + kSlices;
  const uintptr_t page = geometry.base + lo * kSliceSize;
  if (last > hi || last - first > kSlices / 2 || page >= arena_end()) return false;
  if (page % heaprake_mimalloc_segment_bytes == 0) return false;
  if (!huge_growth::is_worthwhile(platform::kHugePage - (last - first) * kSliceSize)) return false;
  for (size_t slice = lo; slice < hi; ++slice) {
    if (geometry.slice_used[slice] || slice_state[slice]) return false;
  }
  if (!platform::commit(reinterpret_cast<void*>(page), platform::kHugePage)) return false;
  for (size_t slice = lo; slice < hi; ++slice) slice_state[slice] = kSpare;
  huge_growth::make(page);
  return true;
}

// Commits slices that were never used.
bool commit_slices(size_t first, size_t last) {
  if (!(slice_state[first] & kSpare)) commit_huge_page(first, last);
  size_t spare = 0;
  for (size_t slice = first; slice < last; ++slice) spare += (slice_state[slice] & kSpare) != 0;
  const size_t bytes = (last - first) * kSliceSize;
  if (spare < last - first && !commit_memory(geometry.base + first * kSliceSize, bytes))
    return false;
  if (spare) huge_growth::note_asked_for(spare * kSliceSize);
  return true;
}

bool reserve_everything(size_t size, uintptr_t hint) {
  void* range = platform::reserve(size, kChunk, hint);
  if (!range) return false;
  Geometry g{};
  g.base = reinterpret_cast<uintptr_t>(range);
  g.size = size;
  g.map = reserve_table<uint8_t>(size / kGranule);
  g.large_bytes = reserve_table<uint64_t>(size / kLargeUnit);
  g.slice_owner = reserve_table<uint64_t>(size / kSliceSize);
  g.slice_used = reserve_table<uint8_t>(size / kSliceSize);
  slice_state = reserve_table<uint8_t>(size / kSliceSize);
  if (g.map && g.large_bytes && g.slice_owner && g.slice_used && slice_state) {
    geometry = g;
    return true;
  }
  release_table(g.map, size / kGranule);
  release_table(g.large_bytes, size / kLargeUnit);
  release_table(g.slice_owner, size / kSliceSize);
  release_table(g.slice_used, size / kSliceSize);
  release_table(slice_state, size / kSliceSize);
  platform::release(range, size);
  return false;
}

// What mimalloc never gets.
size_t pages_kept() {
  size_t eighth = geometry.size / 8 & ~(kChunk - 1);
  return eighth || geometry.size == kMinRange ? eighth : kChunk;
}

// The most to try for. A limit leaves the other half to stacks, libraries and mappings.
size_t first_size() {
  size_t limit = platform::address_space_limit();
  size_t size = limit / 2 < kMaxRange ? limit / 2 : kMaxRange;
  size &= ~(kChunk - 1);
  return size > kMinRange ? size : kMinRange;
}

}  // namespace

bool reserve() {
  for (size_t size = first_size(); size >= kMinRange; size = size / 2 & ~(kChunk - 1)) {
    for (uintptr_t hint : kHints) {
      if (!reserve_everything(size, hint)) continue;
      end_of_arenas.store(geometry.base, std::memory_order_relaxed);
      return true;
    }
  }
  return false;
}

bool make_usable(uintptr_t lo, size_t bytes) {
  uintptr_t hi = (lo + bytes + kSliceSize - 1) & ~(kSliceSize - 1);
  lo &= ~(kSliceSize - 1);
  if (!ensure_tables(lo, hi)) return false;
  size_t first = slice_of(lo);
  size_t last = slice_of(hi);
  size_t newly = 0;
  for (size_t slice = first; slice < last;) {
    size_t end = slice + 1;
    if (!geometry.slice_used[slice]) {
      // Once used, a slice stays readable and writable, so that only fresh ones need the kernel.
      while (end < last && !geometry.slice_used[end]) ++end;
      if (!within_limit((end - slice) * kSliceSize) || !commit_slices(slice, end)) return false;
    }
    for (; slice < end; ++slice) {
      newly += (slice_state[slice] & kCounted) == 0;
      slice_state[slice] = kCounted;
      geometry.slice_used[slice] = 1;
    }
  }
  committed_slices.fetch_add(newly, std::memory_order_relaxed);
  size_t limit = limit_slice.load(std::memory_order_relaxed);
  while (limit < last && !limit_slice.compare_exchange_weak(limit, last)) {
  }
  return true;
}

void note_unused(uintptr_t lo, size_t bytes) {
  size_t first = slice_of(lo + kSliceSize - 1);
  size_t last = slice_of(lo + bytes);
  size_t gone = 0;
  for (size_t slice = first; slice < last; ++slice) {
    gone += slice_state[slice] & kCounted;
    if (slice_state[slice] & kCounted) slice_state[slice] &= ~kCounted;
  }
  committed_slices.fetch_sub(gone, std::memory_order_relaxed);
}

void discard(uintptr_t lo, size_t bytes) {
  platform::discard(reinterpret_cast<void*>(lo), bytes);
  size_t first = slice_of(lo + kSliceSize - 1);
  size_t last = slice_of(lo + bytes);
  // All of its map is zero, and stays so without memory.
  if (last > first && last - first >= kMapWorthDiscarding) {
    constexpr size_t kMapPerSlice = kSliceSize / kGranule;
    platform::discard(geometry.map + first * kMapPerSlice, (last - first) * kMapPerSlice);
  }
}

size_t committed_bytes() {
  return committed_slices.load(std::memory_order_relaxed) * kSliceSize;
}

uintptr_t arena_end() {
  return end_of_arenas.load(std::memory_order_acquire);
}

bool extend_arena(uintptr_t limit) {
  // When mimalloc has no segment for another thread, whole pages for it must still be there.
  uintptr_t keep = geometry.base + geometry.size - pages_kept();
  if (limit > keep) limit = keep;
  // mimalloc takes at most 64 arenas; it gets the range in 16 to 32 pieces.
  size_t piece = geometry.size / 16 & ~(kChunk - 1);
  if (piece < kChunk) piece = kChunk;
  uintptr_t start = arena_end();
  if (start >= limit) return false;
  if (limit - start < piece) piece = (limit - start) & ~(kChunk - 1);
  if (piece == 0) return false;
  // The boundary first: mimalloc may serve from the new piece before the call returns.
  end_of_arenas.store(start + piece, std::memory_order_release);
  return heaprake_mimalloc_give(reinterpret_cast<void*>(start), piece);
}

void reset_after_fork() {
  table_lock.reset_after_fork();
}

}  // namespace space

size_t slice_limit() {
  return space::limit_slice.load(std::memory_order_acquire);
}

size_t next_used_slice(size_t slice) {
  constexpr size_t kSlicesPerChunk = space::kChunk / kSliceSize;
  size_t limit = slice_limit();
  while (slice < limit) {
    if (!space::tables_ready[slice / kSlicesPerChunk].load(std::memory_order_relaxed)) {
      slice = (slice / kSlicesPerChunk + 1) * kSlicesPerChunk;
    } else if (!geometry.slice_used[slice]) {
      ++slice;
    } else {
      return slice;
    }
  }
  return limit;
}

}  // namespace heaprake::heap
