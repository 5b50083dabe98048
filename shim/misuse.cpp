#include "shim/misuse.h"

#include <atomic>
#include <cstring>

#include "allocator/heap.h"
#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/glibc_blocks.h"
#include "shim/line.h"
#include "shim/options.h"

namespace heaprake::shim {
namespace {

std::atomic<uint64_t> misuses{0};

void describe_inside(Line& line, const void* p) {
  auto address = reinterpret_cast<uintptr_t>(p);
  heap::Block block = heap::find_block(address);
  line << " lies " << address - block.address << " bytes inside the block ";
  line.hex(block.address) << " of " << block.size
                          << " bytes; only the address that malloc returned will do.\n";
}

void describe_unrecorded(Line& line, const void* p) {
  if (collector::was_reclaimed(p)) {
    line << " was reclaimed by a collection, which found no pointer to it, and is still in use. "
            "Is the only pointer hidden (XORed, compressed, in a file)? See gc_pin.\n";
  } else {
    line << " is no block: double free of a block, or an address that malloc never returned.\n";
  }
}

void describe_outside(Line& line, const void* p) {
  line << " was not allocated by malloc: it lies in ";
  auto address = reinterpret_cast<uintptr_t>(p);
  platform::AddressSpace space;
  bool found = false;
  if (space.open()) {
    space.for_each_mapping([&](const platform::Mapping& mapping) {
      if (!mapping.range.contains(address)) return mapping.range.lo <= address;
      line << (*mapping.name ? mapping.name : "a mapping without a name");
      found = true;
      return false;
    });
    space.close();
  }
  line << (found ? ".\n" : "memory that is not the program's.\n");
}

void report(const void* p, const char* call, heap::Misuse what) {
  Line line;
  line << "heaprake: " << call << "(): ";
  line.hex(reinterpret_cast<uintptr_t>(p));
  switch (what) {
    case heap::Misuse::kInterior:
      describe_inside(line, p);
      break;
    case heap::Misuse::kUnrecorded:
      describe_unrecorded(line, p);
      break;
    default:
      describe_outside(line, p);
      break;
  }
  line.to_error();
}

}  // namespace

bool on_misuse(const void* p, const char* call) {
  if (collector::was_condemned(p, call)) return true;
  heap::Misuse what = heap::classify(p);
  if (what == heap::Misuse::kOutside && is_glibc_block(p)) {
    if (std::strcmp(call, "free") == 0) glibc_free(const_cast<void*>(p));
    return false;
  }
  misuses.fetch_add(1, std::memory_order_relaxed);
  report(p, call, what);
  if (settings().abort) platform::abort_process();
  return false;
}

void* realloc_failed(void* p, size_t size) {
  bool foreign = heap::classify(p) == heap::Misuse::kOutside && is_glibc_block(p);
  return foreign ? glibc_realloc(p, size) : nullptr;
}

size_t usable_size_failed(void* p) {
  bool foreign = heap::classify(p) == heap::Misuse::kOutside && is_glibc_block(p);
  return foreign ? glibc_usable_size(p) : 0;
}

uint64_t misuse_count() {
  return misuses.load(std::memory_order_relaxed);
}

}  // namespace heaprake::shim
