#include "collector/disguises.h"

#include <cstring>

// Chez Scheme's kernel in the program, or in a library that it is linked with: Racket, and programs
// that Racket has made. Resolved by the loader, so nothing need be looked for.
extern "C" __attribute__((weak, visibility("default"))) void Sscheme_init(void (*)());

namespace heaprake::collector {

namespace {

struct Known {
  const char* file;  // begins so
  Disguises disguises;
};
constexpr Known kKnown[] = {
    {"libfontconfig.so", kDistance}, {"_ctypes.", kDigits},    {"_cffi_backend.", kDigits},
    {"fiddle.so", kShifted1},        {"libracket", kShifted3},
};

}  // namespace

Disguises disguises_of(const char* file) {
  for (const Known& known : kKnown) {
    if (strncmp(file, known.file, strlen(known.file)) == 0) return known.disguises;
  }
  return 0;
}

Disguises disguises_of_program() {
  return Sscheme_init ? kShifted3 : 0;
}

}  // namespace heaprake::collector
