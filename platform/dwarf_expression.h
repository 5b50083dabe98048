// The few DWARF expressions that unwind tables use for a frame's address, worked out as far as is
// possible without the registers.
#pragma once

#include <cstdint>

#include "platform/dwarf_reader.h"

namespace heaprake::platform {

// A number; or a register plus a number; or the word at that address, plus another number.
struct DwarfValue {
  enum Kind : uint8_t { kNumber, kRegister, kWordAtRegister } kind = kNumber;
  uint8_t base = 0;  // DWARF's number of the register: 6 is rbp, 7 rsp
  int64_t offset = 0;
  int64_t extra = 0;
};

// `pc` is what the expression finds in register 16. false: beyond what a DwarfValue can say.
bool evaluate(DwarfReader code, uintptr_t pc, DwarfValue* result);

}  // namespace heaprake::platform
