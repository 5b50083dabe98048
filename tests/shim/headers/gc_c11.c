#include <heaprake/gc.h>

/* Binds each function, so that the header's declarations are complete in C. */
size_t use_gc_c11(void);
size_t use_gc_c11(void) {
  gc_object object;
  gc_reference reference;
  gc_id_t id = gc_id(&object);
  gc_stats stats;
  gc_get_stats(&stats);
  gc_weak* weak = gc_weak_new(&object);
  gc_set_finalizer(&object, (gc_finalizer)0, (void*)0);
  gc_set_destructor(&object, (gc_finalizer)0, (void*)0);
  gc_weak_free(weak);
  return gc_collect() + gc_objects(&object, 1) + gc_referrers(id, &reference, 1) + gc_refcount(id) +
         (size_t)stats.collections;
}
