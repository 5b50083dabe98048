// Ids are disguised addresses: no id, no half of one and no mix of two neighbours' halves is an
// address of the heap, so that a program that keeps ids keeps nothing alive.
//
//   address  0000 5a3c 1234 5670      id = rotate left by 16 of its complement
//   id       a5c3 edcb a98f ffff      (bits 63..48 of an address are zero: the low end is ffff)
#pragma once

#include <bit>
#include <cstdint>

#include "allocator/heap.h"
#include "heaprake/gc.h"

namespace heaprake::shim {

inline gc_id_t id_of_address(uintptr_t address) {
  return address ? std::rotl(~address, 16) : 0;
}
inline uintptr_t address_of_id(gc_id_t id) {
  return id ? ~std::rotr(id, 16) : 0;
}

// Whether a block could have it: the rest are mistakes.
inline bool is_possible_id(gc_id_t id) {
  const uintptr_t offset = address_of_id(id) - heap::geometry.base;
  return id && offset < heap::geometry.size && offset % heap::kGranule == 0;
}

static_assert(sizeof(gc_id_t) == 8 && sizeof(uintptr_t) == 8);

}  // namespace heaprake::shim
