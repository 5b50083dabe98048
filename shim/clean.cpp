#include "shim/clean.h"

#include <cstdint>
#include <cstring>

#include "shim/options.h"

namespace heaprake::shim {

namespace {

// Smaller blocks are cleared only where time does not matter.
constexpr size_t kWorthIt = 129;

void* zeroed(void* p, size_t from, size_t to) {
  if (p && from < to && to - from <= clean::kMostTouched)
    std::memset(static_cast<char*>(p) + from, 0, to - from);
  return p;
}

}  // namespace

constinit size_t clean::least = SIZE_MAX;

void start_cleaning() {
  if (!heap::fast::table.ledger || settings().clean == 0) return;
  const bool all = settings().clean == 1 || settings().stacks == heap::Stacks::kFull;
  clean::least = all ? 0 : kWorthIt;
}

void* allocate_clean_aligned(size_t alignment, size_t size) {
  if (size < clean::least) return heap::allocate_aligned(alignment, size);
  if (alignment <= heap::kGranule) return allocate_clean(size);
  return zeroed(heap::allocate_aligned(alignment, size), 0, clean::room(size));
}

void* reallocate_clean(void* p, size_t size) {
  if (size < clean::least || heap::classify(p) != heap::Misuse::kNone)
    return heap::reallocate(p, size);
  const size_t before = heap::usable_size(p);
  return zeroed(heap::reallocate(p, size), before, clean::room(size));
}

}  // namespace heaprake::shim
