/* What finalizers, weak references and SAVEALL do, in one line for each; the mode is an option. */
#include <heaprake/gc.h>
#include <stdio.h>
#include <stdlib.h>

static gc_weak *lost, *freed;
static int finalized;

static void count(void* block, void* arg) {
  (void)block;
  (void)arg;
  finalized++;
}

__attribute__((noinline)) static void wipe_stack(void) {
  volatile char rubbish[16384];
  for (size_t i = 0; i < sizeof rubbish; i++) rubbish[i] = 0;
}

__attribute__((noinline)) static void build(void) {
  void* volatile p = malloc(48);
  lost = gc_weak_new(p);
  gc_set_finalizer(p, count, NULL);
  gc_set_type(p, "Lost");
  p = malloc(48);
  freed = gc_weak_new(p);
  free(p);
  p = NULL;
}

__attribute__((noinline)) static void show(void) {
  printf("lost %s, freed %s, finalized %d\n", gc_weak_get(lost) ? "there" : "gone",
         gc_weak_get(freed) ? "there" : "gone", finalized);
}

__attribute__((noinline)) static void save(void) {
  malloc(48);
}

int main(void) {
  gc_disable();
  wipe_stack();
  printf("first %s\n", gc_collect() ? "some" : "none");
  build();
  wipe_stack();
  size_t collected = gc_collect();
  printf("collected %zu\n", collected);
  show();
  wipe_stack();
  gc_set_debug(GC_DEBUG_SAVEALL);
  save();
  wipe_stack();
  collected = gc_collect();
  printf("saveall %zu, garbage %zu\n", collected, gc_garbage(NULL, 0));
  gc_set_debug(0);
  const bool frozen = gc_freeze();
  printf("freeze %d, frozen %s\n", frozen, gc_get_freeze_count() ? "some" : "none");
  return 0;
}
