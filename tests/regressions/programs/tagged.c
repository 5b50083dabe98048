/* The only pointer to a block has a tag in its upper sixteen bits, as values of JavaScript engines
 * have. Prints whether a collection keeps the block, and how many references to it are seen. */
#include "alive.h"
#include "heaprake/gc.h"

static volatile uint64_t boxed; /* nobody reads it */

APART gc_id_t put_block(void) {
  void* p = malloc(100);
  boxed = (uint64_t)0xfff9 << 48 | (uintptr_t)p;
  return gc_id(p);
}

int main(void) {
  bound();
  gc_id_t id = put_block();
  clear_stack();
  gc_collect();
  printf("%s, %zu\n", gc_object_exists(id) ? "kept" : "reclaimed", gc_refcount(id));
  return 0;
}
