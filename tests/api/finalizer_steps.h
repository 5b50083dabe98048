// What the tests of finalizers have in common: a journal that finalizers write.
#pragma once

#include <string>

#include "steps.h"

using Finalizer = Gc;

inline std::string journal;

inline void write_name(void*, void* name) {
  journal += static_cast<const char*>(name);
}

// Literals are no blocks: an argument keeps nothing here.
inline void* named(const char* name) {
  return const_cast<char*>(name);
}

STEP gc_id_t lose_with(gc_finalizer fn, void* arg) {
  Node* volatile p = new Node;
  EXPECT_TRUE(gc_set_finalizer(p, fn, arg));
  gc_id_t id = gc_id(p);
  p = nullptr;
  return id;
}
