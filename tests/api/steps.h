// What every test of this folder needs: blocks that really go when they are dropped.
//
// A conservative scan sees dead copies of an address in the frame and in the callee-saved registers
// of a function that is still running. So whatever handles a plain address is a step: a function
// that is not inlined and that leaves ids, not addresses. wipe_stack() overwrites what steps have
// left below. Each test has a process of its own (ctest).
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <heaprake/gc.hpp>

#define STEP [[gnu::noinline, maybe_unused]] static

STEP void wipe_stack() {
  volatile char rubbish[16384];
  for (volatile char& byte : rubbish) byte = 0;
}

struct Node {
  Node* other = nullptr;
  char payload[40] = {};
};

// Nothing refers to it.
STEP gc_id_t lose_one(size_t size = 48) {
  void* volatile p = std::calloc(1, size);
  gc_id_t id = gc_id(p);
  p = nullptr;
  return id;
}

// gc_collect with the stack clean below.
STEP size_t collect() {
  wipe_stack();
  return gc_collect();
}

class Gc : public testing::Test {
 protected:
  Gc() { wipe_stack(); }
  gc::disable_scope quiet;
};
