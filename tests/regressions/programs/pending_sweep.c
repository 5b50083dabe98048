/* Garbage that a collection has found and the next allocation will free: nobody is given its
 * address any more, and it exists no longer. */
#include "commander.h"
#include "heaprake/gc.h"

enum { kKept = 100, kLost = 500, kSize = 1000, kRoom = 100000 };

static gc_id_t lost[kLost], kept_ids[kKept];
static void* kept[kKept];
static gc_object objects[kRoom];

APART void allocate(void) {
  for (int i = 0; i < kKept; ++i) kept_ids[i] = gc_id(kept[i] = memset(malloc(kSize), 1, kSize));
  for (int i = 0; i < kLost; ++i) lost[i] = gc_id(memset(malloc(kSize), 2, kSize));
}

APART int existing(const gc_id_t* ids, int count) {
  int existing = 0;
  for (int i = 0; i < count; ++i) {
    int exists = gc_object_exists(ids[i]);
    MUST((gc_address(ids[i]) != NULL) == exists);
    if (!exists) MUST(gc_refcount(ids[i]) == 0);
    existing += exists;
  }
  return existing;
}

APART int listed(void) {
  size_t count = gc_objects(objects, kRoom);
  MUST(count <= kRoom);
  int found = 0;
  for (size_t i = 0; i < count; ++i) found += objects[i].size >= kSize && objects[i].size < 1100;
  memset(objects, 0, sizeof objects);
  return found;
}

int main(void) {
  bound();
  start_commander();
  allocate();
  clear_stack();
  MUST(existing(lost, kLost) == kLost && listed() >= kLost + kKept);
  clear_stack();
  struct result result = ask_here(HEAPRAKE_REQUEST_COLLECT);
  MUST(result.status == HEAPRAKE_OK && result.collected.pending == 1);
  /* Nothing is allocated before the last question. */
  int still = existing(lost, kLost), in_list = listed(), alive = existing(kept_ids, kKept);
  struct result list = ask_here(HEAPRAKE_REQUEST_OBJECTS);
  MUST(list.status == HEAPRAKE_OK);
  size_t told = list.length / sizeof(struct heaprake_object), counted = gc_objects(NULL, 0);
  MUST(result.collected.blocks >= kLost - 5);
  MUST(still <= 5 && alive == kKept);
  MUST(in_list == kKept + still);
  MUST(told == counted);
  for (int i = 0; i < kKept; ++i) MUST(*(char*)kept[i] == 1);
  free(malloc(100000));
  MUST(existing(lost, kLost) <= still);
  puts("never given out");
  return 0;
}
