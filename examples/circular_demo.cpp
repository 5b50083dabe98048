// The circular-reference demonstration of Python's gc tutorials, for C++: two objects refer to each
// other, the last outside reference is dropped, both go on existing, and a collection takes them.
//
// A conservative collector takes every word on a stack or in a register for a pointer if it looks
// like one. It therefore sees dead copies, too: `a = new A` written in main leaves the address in a
// callee-saved register or in a temporary's slot of main's frame for as long as main runs. So
//   - each step is a function of its own: what its registers and its frame held is dead once it
//     has returned;
//   - the next step's frame lies where the last one's was, and may leave some of its words as they
//     are (padding, slots not yet written). clear_dead_stack() overwrites them in between.
// A program that only wants its memory back need not care: a dead copy delays a block's
// reclamation until the word is overwritten. It matters to those who count.
#include <cstdio>

#include "heaprake/gc.h"

namespace {

struct A;

struct B {
  explicit B(A* owner) : a(owner) {
    std::printf("B: %p, A: %p\n", static_cast<void*>(this), static_cast<void*>(a));
  }
  A* a;
};

struct A {
  A() : b(new B(this)) {
    std::printf("A: %p, B: %p\n", static_cast<void*>(this), static_cast<void*>(b));
  }
  B* b;
};

A* a = nullptr;

// Ids are disguised addresses: keeping them neither keeps the blocks alive nor counts.
gc_id_t id_of_a = 0;
gc_id_t id_of_b = 0;

[[gnu::noinline]] void clear_dead_stack() {
  volatile char dead[4096];
  for (volatile char& byte : dead) byte = 0;
}

[[gnu::noinline]] void disable_automatic_collection() {
  gc_disable();
}

[[gnu::noinline]] void create() {
  a = new A;
}

[[gnu::noinline]] void remember_ids() {
  id_of_a = gc_id(a);
  id_of_b = gc_id(a->b);
}

[[gnu::noinline]] void print_refcount(gc_id_t id) {
  std::printf("%zu\n", gc_refcount(id));
}

[[gnu::noinline]] void print_exists(gc_id_t id) {
  std::puts(gc_object_exists(id) ? "True" : "False");
}

[[gnu::noinline]] void drop() {
  a = nullptr;
}

[[gnu::noinline]] void collect() {
  gc_collect();
}

}  // namespace

int main() {
  disable_automatic_collection();
  create();
  clear_dead_stack();
  remember_ids();
  clear_dead_stack();

  print_refcount(id_of_a);  // 2: the global `a`, and a->b->a
  print_refcount(id_of_b);  // 1: a->b
  print_exists(id_of_a);
  print_exists(id_of_b);

  drop();
  clear_dead_stack();

  print_refcount(id_of_a);  // 1: they hold each other
  print_refcount(id_of_b);  // 1
  print_exists(id_of_a);    // and nothing else will ever delete them
  print_exists(id_of_b);

  collect();

  print_exists(id_of_a);
  print_exists(id_of_b);
  print_refcount(id_of_a);
  print_refcount(id_of_b);
  return 0;
}
