// What init was told. Written once, before the first block exists.
#pragma once

#include "allocator/heap.h"

namespace heaprake::heap {

extern Config config;

}  // namespace heaprake::heap
