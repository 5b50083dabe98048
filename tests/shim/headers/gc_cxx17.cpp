#include <heaprake/gc.h>

static_assert(noexcept(gc_collect()), "nothing here throws");

size_t use_gc_cxx17();
size_t use_gc_cxx17() {
  gc_stats stats = {};
  gc_get_stats(&stats);
  return gc_collect() + gc_refcount(gc_id(&stats));
}
