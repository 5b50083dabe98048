// malloc, calloc and free: the fast paths, and what they fall back on.
#include "allocator/heap.h"

#include <mimalloc.h>

#include <bit>
#include <cstring>

#include "allocator/configuration.h"
#include "allocator/huge_growth.h"
#include "allocator/ledger_record.h"
#include "allocator/memory.h"
#include "allocator/mimalloc_host.h"
#include "allocator/misuse.h"
#include "allocator/record.h"
#include "allocator/retained.h"
#include "allocator/space.h"
#include "allocator/wide.h"
#include "platform/coarse_clock.h"

namespace heaprake::heap {

Config config;

namespace fast {
Table table;
__thread size_t allocated_bytes;
}  // namespace fast

namespace {

using fast::table;

// What heaprake_mimalloc_pop can serve.
constexpr size_t kMaxPopGranules = 64;

platform::Mutex init_lock;
bool is_ready;  // guarded by init_lock

void fill_table() {
  table.base = geometry.base;
  table.map = geometry.map - geometry.base / kGranule;
  table.granules = geometry.size / kGranule;
  // The ledger is not the fast path's business.
  table.allocatable = table.ledger ? 0 : kMaxPopGranules;
}

// Wide blocks, and when mimalloc has no memory.
[[gnu::noinline]] void* allocate_with_effort(size_t size, bool zeroed) {
  size_t bytes = recorded_length(size);
  if (!bytes || !ready()) return no_memory();
  Memory memory = obtain(bytes, zeroed);
  if (!memory.p) return no_memory();
  auto* p = reinterpret_cast<void**>(memory.p);
  if (!zeroed && !memory.wide) *p = nullptr;
  fast::allocated_bytes += bytes;
  (memory.wide ? record_wide : record)(memory.p, bytes, size);
  return p;
}

inline void* allocate_recorded(size_t size, bool zeroed) {
  const size_t bytes = recorded_length(size);
  // recorded_length says 0 for what is too much: that is out of these bounds too.
  if (bytes - 1 >= wide::kMinSize - 1 || !ready()) [[unlikely]]
    return allocate_with_effort(size, zeroed);
  void* p = zeroed ? mi_zalloc(bytes) : mi_malloc(bytes);
  if (!p) [[unlikely]]
    return allocate_with_effort(size, zeroed);
  if (!zeroed) *static_cast<void**>(p) = nullptr;
  fast::allocated_bytes += bytes;
  if (bytes <= kMaxSmall && !table.ledger) {
    publish_plain(reinterpret_cast<uintptr_t>(p), static_cast<uint8_t>(bytes / kGranule));
  } else {
    record(reinterpret_cast<uintptr_t>(p), bytes, size);
  }
  return p;
}

// With a ledger: allocate_at_hand, and an entry.
void* allocate_entered(size_t size) {
  if (!table.ledger || size > kMaxPopGranules * kGranule - table.pad) return nullptr;
  const size_t last = (size + table.pad - 1) / kGranule;
  const size_t bytes = (last + 1) * kGranule;
  void* p = fast::heaprake_mimalloc_pop(bytes);
  if (!p) return nullptr;
  *static_cast<void**>(p) = nullptr;
  fast::allocated_bytes += bytes;
  // As record does it, but each frame on the way to the caller's takes its time.
  static_assert(kMaxPopGranules <= kMaxSmallGranules);
  ledger::enter(reinterpret_cast<uintptr_t>(p), bytes, size);
  publish(reinterpret_cast<uintptr_t>(p), static_cast<uint8_t>(last + 1));
  return p;
}

}  // namespace

bool init(const Config& wanted) {
  init_lock.lock();
  if (!is_ready && space::reserve() && wide::start()) {
    config = wanted;
    platform::start_coarse_clock();
    table.ledger = config.ledger && ledger::start(config);
    table.pad = table.ledger ? ledger::kEntryBytes : size_t{config.pad};
    heaprake_mimalloc_configure();
    if (config.huge_pages) huge_growth::allow();
    start_polling();
    platform::set_idle_hook(retained::on_idle);
    is_ready = wide::extend_arena();
    if (is_ready) fill_table();
  }
  bool result = is_ready;
  init_lock.unlock();
  return result;
}

bool ready() {
  return table.granules != 0;
}

void* fast::allocate_uncommon(size_t size) {
  if (void* p = allocate_entered(size)) return p;
  return allocate_recorded(size, false);
}

void* allocate_zeroed(size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) return no_memory();
  // All of the block, since all of it is scanned, and malloc_usable_size offers it.
  if (void* p = allocate_at_hand(total)) {
    return std::memset(p, 0, ((total + table.pad - 1) / kGranule + 1) * kGranule);
  }
  return allocate_recorded(total, true);
}

// Large, titled and noted blocks, and addresses that are no block.
void fast::release_uncommon(void* p) {
  const auto offset = reinterpret_cast<uintptr_t>(p) - geometry.base;
  if (offset < geometry.size && offset % kGranule == 0 && geometry.map[offset / kGranule] == kLarge)
      [[likely]] {
    withdraw(reinterpret_cast<uintptr_t>(p));
    return space::is_wide(reinterpret_cast<uintptr_t>(p)) ? wide::release(p) : mi_free(p);
  }
  if (!p || !is_block_start(p, "free")) return;
  auto address = reinterpret_cast<uintptr_t>(p);
  if (is_noted(address)) drop_note(address);
  void* origin = *byte_of(address) == kTitled ? title_of(address)->origin : p;
  // A sweep took it meanwhile, since the program hides its pointers.
  if (!take_off(address)) return release_uncommon(p);
  give_back(origin);
}

bool trim() {
  if (!ready() || !tidying()) return false;
  mi_collect(true);
  retained::discard_all();
  return true;
}

}  // namespace heaprake::heap
