// heaprake/gc.h: finalizers, weak references, names, callbacks, debugging.
#include "collector/collector.h"
#include "heaprake/gc.h"
#include "shim/blocks.h"
#include "shim/errno_keeper.h"

namespace heap = heaprake::heap;
namespace collector = heaprake::collector;
using heaprake::shim::block_of;
using heaprake::shim::Errno;
using heaprake::shim::keep_until_here;

bool gc_set_finalizer(const void* p, gc_finalizer fn, void* arg) noexcept {
  Errno error;
  heap::Block block = block_of(p);
  bool done =
      error.check(bool(block), EINVAL) && error.check(collector::set_finalizer(block, fn, arg));
  keep_until_here(p);
  return done;
}

bool gc_set_destructor(const void* p, gc_finalizer fn, void* arg) noexcept {
  Errno error;
  heap::Block block = block_of(p);
  bool done =
      error.check(bool(block), EINVAL) && error.check(collector::set_destructor(block, fn, arg));
  keep_until_here(p);
  return done;
}

bool gc_is_finalized(const void* p) noexcept {
  Errno error;
  heap::Block block = block_of(p);
  return error.check(bool(block), EINVAL) && collector::is_finalized(block);
}

size_t gc_run_finalizers() noexcept {
  Errno error;
  return collector::run_finalizers();
}

void gc_report_error(const void* p, const char* what) noexcept {
  Errno error;
  collector::report_error(p, what ? what : "an error");
}

gc_weak* gc_weak_new(const void* p) noexcept {
  Errno error;
  heap::Block block = block_of(p);
  if (!error.check(bool(block), EINVAL)) return nullptr;
  gc_weak* weak = nullptr;
  const bool made = error.check(collector::weak_new(block, p, &weak));
  keep_until_here(p);
  return made ? weak : nullptr;
}

void* gc_weak_get(const gc_weak* weak) noexcept {
  if (collector::is_weak(weak)) [[likely]]
    return collector::weak_get(weak);
  errno = EINVAL;
  return nullptr;
}

bool gc_weak_free(gc_weak* weak) noexcept {
  Errno error;
  return error.check(collector::weak_free(weak), EINVAL);
}

bool gc_set_type(const void* p, const char* name) noexcept {
  Errno error;
  heap::Block block = block_of(p);
  bool done =
      error.check(bool(block), EINVAL) && error.check(collector::set_type(block, name), ENOMEM);
  keep_until_here(p);
  return done;
}

const char* gc_type(const void* p) noexcept {
  Errno error;
  heap::Block block = block_of(p);
  return error.check(bool(block), EINVAL) ? collector::type_of(block) : nullptr;
}

bool gc_add_callback(gc_callback fn, void* arg) noexcept {
  Errno error;
  return error.check(fn != nullptr, EINVAL) &&
         error.check(collector::add_callback(fn, arg), ENOMEM);
}

bool gc_remove_callback(gc_callback fn, void* arg) noexcept {
  Errno error;
  return error.check(fn != nullptr, EINVAL) &&
         error.check(collector::remove_callback(fn, arg), ENOENT);
}

bool gc_set_debug(unsigned flags) noexcept {
  Errno error;
  if (!error.check((flags & ~(GC_DEBUG_STATS | GC_DEBUG_LEAK)) == 0, EINVAL)) return false;
  collector::set_debug(flags);
  return true;
}

unsigned gc_get_debug() noexcept {
  return collector::debug();
}

size_t gc_garbage(gc_object* out, size_t capacity) noexcept {
  Errno error;
  return error.check(out || capacity == 0, EINVAL) ? collector::list_saved(out, capacity) : 0;
}

void gc_clear_garbage() noexcept {
  Errno error;
  collector::forget_saved();
}

bool gc_freeze() noexcept {
  Errno error;
  return error.check(collector::freeze(), ENOMEM);
}

void gc_unfreeze() noexcept {
  Errno error;
  collector::unfreeze();
}

size_t gc_get_freeze_count() noexcept {
  Errno error;
  return collector::freeze_count();
}
