/* The only pointers to blocks stand in forms that some runtimes keep them in, told by the libraries
 * that are loaded: argv[1] is one that is named like such a runtime's, and argv[2] is the form.
 * Prints whether a collection keeps the block, and a block that is reached from it; with a third
 * argument, "count", who refers to them. */
#include <dlfcn.h>

#include "alive.h"
#include "heaprake/gc.h"

static volatile uint64_t disguised; /* nobody reads it */

static struct __attribute__((packed)) {
  char kind[3];
  volatile uint64_t word;
} packed;

static uint64_t in_disguise(const char* form, const void* p) {
  uint64_t address = (uintptr_t)p;
  if (strcmp(form, "digits") == 0) return (address & 0x3fffffff) | address >> 30 << 32;
  if (strcmp(form, "shifted1") == 0) return address << 1 | 1;
  if (strcmp(form, "shifted3") == 0) return address << 3;
  MUST(strcmp(form, "unaligned") == 0);
  return 0;
}

struct pattern {
  long count;
  long elements; /* their distance from here */
};

APART void put(const char* form, gc_id_t* one, gc_id_t* other) {
  char** p = calloc(1, 1237);
  char* q = calloc(1, 2239);
  *one = gc_id(p);
  *other = gc_id(q);
  if (strcmp(form, "itself") == 0) {
    p[3] = (char*)(q - (char*)&p[3]);
    disguised = (uintptr_t)p;
  } else if (strcmp(form, "distance")) {
    p[3] = (char*)q;
    if (strcmp(form, "unaligned")) {
      disguised = in_disguise(form, p);
    } else {
      packed.word = (uintptr_t)p;
    }
  } else {
    struct pattern* pattern = (struct pattern*)p;
    pattern->elements = (long)(q - (char*)p);
    disguised = (uintptr_t)p;
  }
}

APART gc_id_t lost_block(void) {
  return gc_id(malloc(100));
}

static void collect(void) {
  clear_stack();
  gc_collect();
}

/* How many references there are to the block, and the first holder: a block or not. */
static void print_referrers(gc_id_t of, gc_id_t expected_holder) {
  gc_reference first = {0};
  const size_t count = gc_referrers(of, &first, 1);
  MUST(count == gc_refcount(of));
  printf("%zu %s, ", count,
         first.kind == GC_REFERENCE_GLOBAL                                     ? "global"
         : first.kind == GC_REFERENCE_BLOCK && first.holder == expected_holder ? "block"
                                                                               : "other");
}

static void count_references(gc_id_t one, gc_id_t other) {
  gc_id_t referent = 0;
  printf("%zu", gc_referents((void*)gc_address(one), &referent, 1));
  printf(" %s, ", referent == other ? "right" : "wrong");
  clear_stack();
  print_referrers(one, 0);
  print_referrers(other, one);
  puts("");
}

/* Collects while the library is at work, and when it no longer is. */
static void collect_in_and_out(void* library) {
  int (*at_work)(void (*)(void)) = (int (*)(void (*)(void)))dlsym(library, "at_work");
  gc_id_t lost = lost_block();
  at_work(collect);
  printf("%s, ", gc_object_exists(lost) ? "kept" : "reclaimed");
  collect();
  printf("%s\n", gc_object_exists(lost) ? "kept" : "reclaimed");
}

int main(int argc, char** argv) {
  bound();
  MUST(argc == 3 || argc == 4);
  void* library = *argv[1] == '-' ? NULL : dlopen(argv[1], RTLD_NOW);
  MUST(library || *argv[1] == '-');
  if (strcmp(argv[2], "moving") == 0) {
    collect_in_and_out(library);
    return 0;
  }
  gc_id_t one, other;
  put(argv[2], &one, &other);
  if (argc == 4) {
    count_references(one, other);
    return 0;
  }
  collect();
  printf("%s, %s\n", gc_object_exists(one) ? "kept" : "reclaimed",
         gc_object_exists(other) ? "kept" : "reclaimed");
  return 0;
}
