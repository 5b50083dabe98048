#include "allocator/wide.h"

#include <algorithm>

#include "allocator/space.h"

namespace heaprake::heap::wide {
namespace {

constexpr size_t kPage = platform::kPageSize;
constexpr size_t kTableStep = 64 * 1024;

struct Entry {
  uintptr_t lo, hi;  // page-aligned; entries are disjoint and in address order
};

// Everything below is guarded by `lock`.
platform::ForkMutex lock;
Entry* entries;
size_t count;
size_t usable_entries;  // committed part of the table
size_t max_entries;

struct Guard {
  Guard() : taken(lock.lock()) {}
  ~Guard() {
    if (taken) lock.unlock();
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  const bool taken;
};

uintptr_t page_up(uintptr_t p) {
  return (p + kPage - 1) & ~(kPage - 1);
}

// The first entry that starts at or above p.
size_t position_of(uintptr_t p) {
  return std::lower_bound(entries, entries + count, p,
                          [](const Entry& entry, uintptr_t at) { return entry.lo < at; }) -
         entries;
}

uintptr_t hole_start(size_t position) {
  return position ? entries[position - 1].hi : space::arena_end();
}
uintptr_t hole_end(size_t position) {
  return position < count ? entries[position].lo : geometry.base + geometry.size;
}

// The highest place for `bytes` with `spare` bytes behind it, 0 if there is none. Sets the position
// that its entry will have.
uintptr_t find_place(size_t bytes, size_t spare, size_t alignment, size_t* position) {
  for (size_t i = count + 1; i-- > 0;) {
    uintptr_t lo = hole_start(i);
    uintptr_t hi = hole_end(i);
    if (hi - lo < bytes + spare) continue;
    uintptr_t place = (hi - bytes - spare) & ~(alignment - 1);
    if (place < lo) continue;
    *position = i;
    return place;
  }
  return 0;
}

bool insert(size_t position, Entry entry) {
  if (count == usable_entries) {
    if (count == max_entries) return false;
    if (!platform::commit(entries + count, kTableStep)) return false;
    usable_entries += kTableStep / sizeof(Entry);
  }
  std::move_backward(entries + position, entries + count, entries + count + 1);
  entries[position] = entry;
  ++count;
  return true;
}

void erase(size_t position) {
  std::move(entries + position + 1, entries + count, entries + position);
  --count;
}

void discard(uintptr_t lo, uintptr_t hi) {
  space::note_unused(lo, hi - lo);
  space::discard(lo, hi - lo);
}

}  // namespace

bool start() {
  // A block for every slice is more than any program will need.
  max_entries = geometry.size / kSliceSize;
  size_t bytes = (max_entries * sizeof(Entry) + kTableStep - 1) & ~(kTableStep - 1);
  max_entries = bytes / sizeof(Entry);
  entries = static_cast<Entry*>(platform::reserve(bytes, kPage, 0));
  return entries != nullptr;
}

void* allocate(size_t bytes, size_t alignment) {
  if (bytes > geometry.size) return nullptr;
  bytes = page_up(bytes);
  alignment = std::max(alignment, kPage);
  Guard guard;
  size_t position;
  // Room to grow in place, since large blocks are what growing arrays end up in.
  uintptr_t place = 0;
  if (bytes >= kMinSize) place = find_place(bytes, bytes, alignment, &position);
  if (!place) place = find_place(bytes, 0, alignment, &position);
  if (!place || !insert(position, {place, place + bytes})) return nullptr;
  if (space::make_usable(place, bytes)) return reinterpret_cast<void*>(place);
  erase(position);
  return nullptr;
}

void release(void* p) {
  auto lo = reinterpret_cast<uintptr_t>(p);
  uintptr_t hi;
  {
    Guard guard;
    hi = entries[position_of(lo)].hi;
  }
  // Giving back gigabytes takes long; the entry keeps others out of the place meanwhile.
  discard(lo, hi);
  Guard guard;
  erase(position_of(lo));
}

bool resize(void* p, size_t bytes) {
  auto lo = reinterpret_cast<uintptr_t>(p);
  if (bytes > geometry.size) return false;
  uintptr_t hi = lo + page_up(bytes);
  Guard guard;
  size_t position = position_of(lo);
  Entry& entry = entries[position];
  if (hi > entry.hi) {
    if (hi > hole_end(position + 1)) return false;
    if (!space::make_usable(entry.hi, hi - entry.hi)) return false;
  } else if (hi < entry.hi) {
    discard(hi, entry.hi);
  }
  entry.hi = hi;
  return true;
}

size_t capacity(const void* p) {
  auto lo = reinterpret_cast<uintptr_t>(p);
  Guard guard;
  return entries[position_of(lo)].hi - lo;
}

bool extend_arena() {
  Guard guard;
  return space::extend_arena(hole_end(0));
}

void before_fork() {
  lock.before_fork();
}
void after_fork_in_parent() {
  lock.after_fork_in_parent();
}
void reset_after_fork() {
  lock.reset_after_fork();
}

}  // namespace heaprake::heap::wide
