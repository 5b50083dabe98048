// What becomes of garbage, block by block, while the world runs again. Nothing can reach these
// blocks, so no other thread touches them or their map bytes; but a program that hides its pointers
// may free one of them at this moment, and then it is left to the program.
#pragma once

#include "collector/condemned.h"
#include "collector/mark_bits.h"

namespace heaprake::collector {

enum class Fate {
  kFree,     // back to the allocator
  kCondemn,  // off the map, memory kept: the oracle
  kPoison,   // off the map, filled with kPoisonByte, memory kept
  kCount     // nothing: a hunt, or kept by GC_DEBUG_SAVEALL
};

constexpr unsigned char kPoisonByte = 0xdb;

struct Swept {
  size_t blocks = 0;
  size_t bytes = 0;
  size_t gone = 0;  // freed by the program since they were found; in no other figure
};

// Clears each bit as it deals with the block: a sweep may be done in a forked child again.
Swept sweep(MarkBits& garbage, Fate fate, CondemnedSet& condemned);

}  // namespace heaprake::collector
