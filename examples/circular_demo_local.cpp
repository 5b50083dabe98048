// The demonstration of circular_demo.cpp with `a` as a local variable of main whose address
// escapes.
//
// The address is kept in a global, so that the compiler has to leave `a` in its stack slot: any
// function might look at it. That slot is what the collector finds. See circular_demo.cpp for why
// each step is a function of its own, and why the dead part of the stack is cleared in between.
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

// Where main's `a` is. Volatile: every step reads it anew, so none is specialised for what it
// happens to hold.
A** volatile variable = nullptr;

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
  *variable = new A;
}

[[gnu::noinline]] void remember_ids() {
  id_of_a = gc_id(*variable);
  id_of_b = gc_id((*variable)->b);
}

[[gnu::noinline]] void print_refcount(gc_id_t id) {
  std::printf("%zu\n", gc_refcount(id));
}

[[gnu::noinline]] void print_exists(gc_id_t id) {
  std::puts(gc_object_exists(id) ? "True" : "False");
}

[[gnu::noinline]] void drop() {
  *variable = nullptr;
}

[[gnu::noinline]] void collect() {
  gc_collect();
}

}  // namespace

int main() {
  A* a = nullptr;
  variable = &a;

  disable_automatic_collection();
  create();
  clear_dead_stack();
  remember_ids();
  clear_dead_stack();

  print_refcount(id_of_a);  // 2: main's `a`, and a->b->a
  print_refcount(id_of_b);  // 1: a->b
  print_exists(id_of_a);
  print_exists(id_of_b);

  drop();
  clear_dead_stack();

  print_refcount(id_of_a);  // 1: they hold each other
  print_refcount(id_of_b);  // 1
  print_exists(id_of_a);
  print_exists(id_of_b);

  collect();

  print_exists(id_of_a);
  print_exists(id_of_b);
  print_refcount(id_of_a);
  print_refcount(id_of_b);
  return 0;
}
