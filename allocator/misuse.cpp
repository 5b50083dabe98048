#include "allocator/misuse.h"

#include <atomic>

#include "allocator/record.h"
#include "allocator/space.h"

namespace heaprake::heap {
namespace {

std::atomic<MisuseHandler> misuse_handler{nullptr};

bool recorded(const void* p) {
  auto address = reinterpret_cast<uintptr_t>(p);
  return space::in_range(address) && address % kGranule == 0 && *byte_of(address) != 0;
}

}  // namespace

void set_misuse_handler(MisuseHandler handler) {
  misuse_handler.store(handler, std::memory_order_relaxed);
}

bool is_block_start(const void* p, const char* call) {
  if (recorded(p)) return true;
  MisuseHandler handler = misuse_handler.load(std::memory_order_relaxed);
  return handler && handler(p, call) && recorded(p);
}

Block block_start(const void* p, const char* call) {
  const size_t granule = (reinterpret_cast<uintptr_t>(p) - geometry.base) / kGranule;
  Block block = recorded(p) ? block_at(granule) : Block{};
  if (!block && is_block_start(p, call)) block = block_at(granule);
  return block;
}

Misuse classify(const void* p) {
  if (recorded(p)) return Misuse::kNone;
  auto address = reinterpret_cast<uintptr_t>(p);
  if (!space::in_range(address)) return Misuse::kOutside;
  return find_block(address) ? Misuse::kInterior : Misuse::kUnrecorded;
}

}  // namespace heaprake::heap
