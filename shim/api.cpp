// heaprake/gc.h, function by function. The entry points that scan come through api_entry.S.
#include "heaprake/gc.h"

#include "allocator/heap.h"
#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/blocks.h"
#include "shim/errno_keeper.h"
#include "shim/export.h"
#include "shim/first_use.h"
#include "shim/glibc_blocks.h"
#include "shim/ids.h"
#include "shim/summary.h"

namespace heap = heaprake::heap;
namespace collector = heaprake::collector;
namespace platform = heaprake::platform;
using heaprake::shim::block_of;
using heaprake::shim::Errno;
using heaprake::shim::id_of_address;
using heaprake::shim::is_possible_id;

namespace {

// Above lies the kernel's half.
constexpr uintptr_t kAddressLimit = uintptr_t{1} << 47;

platform::Range range_of(const void* lo, const void* hi) {
  return {reinterpret_cast<uintptr_t>(lo), reinterpret_cast<uintptr_t>(hi)};
}

}  // namespace

void gc_enable() noexcept {
  collector::set_enabled(true);
}
void gc_disable() noexcept {
  collector::set_enabled(false);
}
bool gc_isenabled() noexcept {
  return collector::enabled();
}

bool gc_set_threshold(size_t bytes, unsigned growth) noexcept {
  Errno error;
  return error.check(collector::set_threshold(bytes, growth), EINVAL);
}

void gc_get_threshold(size_t* bytes, unsigned* growth) noexcept {
  Errno error;
  collector::get_threshold(bytes, growth);
}

size_t gc_get_count() noexcept {
  return collector::allocated_since_collection();
}

size_t gc_objects(gc_object* out, size_t capacity) noexcept {
  Errno error;
  if (!error.check(out || capacity == 0, EINVAL)) return 0;
  size_t count = 0;
  heap::for_each_block([&](const heap::Block& block) {
    if (collector::is_garbage(block)) return true;
    if (count < capacity) {
      out[count] = {reinterpret_cast<void*>(block.address), heap::offered_size(block),
                    block.leaf ? 1u : 0u};
    }
    ++count;
    return true;
  });
  return count;
}

gc_id_t gc_id(const void* p) noexcept {
  Errno error;
  heap::Block block = block_of(p);
  return error.check(bool(block), EINVAL) ? id_of_address(block.address) : 0;
}
void* gc_address(gc_id_t id) noexcept {
  Errno error;
  return error.check(is_possible_id(id), EINVAL) ? reinterpret_cast<void*>(block_of(id).address)
                                                 : nullptr;
}
bool gc_object_exists(gc_id_t id) noexcept {
  return bool(block_of(id));
}

bool gc_is_tracked(const void* p) noexcept {
  Errno error;
  heap::Block block = block_of(p);
  return error.check(bool(block), EINVAL) && !block.leaf &&
         block.address == reinterpret_cast<uintptr_t>(p);
}

size_t gc_referents(const void* p, gc_id_t* out, size_t capacity) noexcept {
  Errno error;
  heap::Block block = block_of(p);
  if (!error.check(block && (out || capacity == 0), EINVAL)) return 0;
  size_t count = collector::list_referents(block, out, capacity);
  for (size_t i = 0; i < count && i < capacity; ++i) out[i] = id_of_address(out[i]);
  return count;
}

bool gc_add_root(const void* lo, const void* hi) noexcept {
  Errno error;
  return error.check(lo < hi && range_of(lo, hi).hi <= kAddressLimit, EINVAL) &&
         error.check(collector::add_root(range_of(lo, hi)), ENOMEM);
}

bool gc_remove_root(const void* lo, const void* hi) noexcept {
  Errno error;
  return error.check(lo < hi, EINVAL) &&
         error.check(collector::remove_root(range_of(lo, hi)), ENOENT);
}

bool gc_pin(const void* p) noexcept {
  Errno error;
  heap::Block block = block_of(p);
  return error.check(bool(block), EINVAL) && error.check(collector::pin(block), ENOMEM);
}

bool gc_unpin(const void* p) noexcept {
  Errno error;
  heap::Block block = block_of(p);
  return error.check(bool(block), EINVAL) && error.check(collector::unpin(block), ENOENT);
}

void* gc_malloc_leaf(size_t size) noexcept {
  return heaprake::shim::with_heap([=] { return heap::allocate_leaf(size); },
                                   [=] { return heaprake::shim::glibc_malloc(size); });
}

void gc_get_stats(gc_stats* out) noexcept {
  Errno error;
  if (error.check(out != nullptr, EINVAL)) *out = heaprake::shim::current_stats();
}

extern "C" {

size_t heaprake_collect_from(const platform::CallContext* context) {
  Errno error;
  if (collector::mode() == collector::Mode::kOff) return 0;
  return collector::collect(collector::Reason::kExplicit, platform::thread_of_call(*context))
      .blocks;
}

size_t heaprake_refcount_from(gc_id_t id, const platform::CallContext* context) {
  Errno error;
  if (!error.check(is_possible_id(id), EINVAL)) return 0;
  heap::Block block = block_of(id);
  if (!block) return 0;
  size_t count = 0;
  platform::StoppedThread self = platform::thread_of_call(*context);
  if (error.check(collector::count_references(block, self, &count), EAGAIN)) return count;
  return 0;
}

size_t heaprake_referrers_from(gc_id_t id, gc_reference* out, size_t capacity,
                               const platform::CallContext* context) {
  Errno error;
  if (!error.check((out || capacity == 0) && is_possible_id(id), EINVAL)) return 0;
  heap::Block block = block_of(id);
  if (!block) return 0;
  size_t count = 0;
  platform::StoppedThread self = platform::thread_of_call(*context);
  if (!error.check(collector::list_references(block, self, out, capacity, &count), EAGAIN))
    return 0;
  for (size_t i = 0; i < count && i < capacity; ++i) {
    if (out[i].kind == GC_REFERENCE_BLOCK) out[i].holder = id_of_address(out[i].holder);
  }
  return count;
}

}  // extern "C"
