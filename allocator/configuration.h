// What init was told. Written once, before the first block exists.
#pragma once

#include "allocator/heap.h"

namespace heaprake::heap {

extern Config config;
// Bytes at the end of every block that are not the program's.
extern size_t tail_bytes;

}  // namespace heaprake::heap
