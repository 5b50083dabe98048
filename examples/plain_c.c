/* gc.h from C: a list that is dropped, watched by a weak reference and a callback. */
#include <heaprake/gc.h>
#include <stdio.h>
#include <stdlib.h>

struct node {
  struct node* next;
  char text[40];
};

static struct node* list;
static gc_weak* first;

static void on_collection(gc_phase phase, const gc_info* info, void* arg) {
  (void)arg;
  if (phase == GC_PHASE_STOP) printf("collected %zu blocks\n", info->collected);
}

__attribute__((noinline)) static void build(void) {
  for (int i = 0; i < 100; i++) {
    struct node* node = calloc(1, sizeof *node);
    node->next = list;
    list = node;
  }
  first = gc_weak_new(list);
}

__attribute__((noinline)) static void drop(void) {
  list = NULL;
}

/* Dead copies of addresses below the stack pointer: see circular_demo.cpp. */
__attribute__((noinline)) static void clear_dead_stack(void) {
  volatile char dead[16384];
  for (size_t i = 0; i < sizeof dead; i++) dead[i] = 0;
}

int main(void) {
  gc_disable();
  gc_add_callback(on_collection, NULL);
  build();
  clear_dead_stack();
  gc_collect();
  drop();
  clear_dead_stack();
  gc_collect();
  printf("the first node is %s\n", gc_weak_get(first) ? "there" : "gone");
  gc_weak_free(first);
  return 0;
}
