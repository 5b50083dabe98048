#include <heaprake/gc.h>

/* Binds each function, so that the header's declarations are complete in C. */
size_t use_gc_c11(void);
size_t use_gc_c11(void) {
  gc_object object;
  gc_reference reference;
  gc_id_t id = gc_id(&object);
  gc_stats stats;
  gc_get_stats(&stats);
  return gc_collect() + gc_objects(&object, 1) + gc_referrers(id, &reference, 1) + gc_refcount(id) +
         (size_t)stats.collections;
}
