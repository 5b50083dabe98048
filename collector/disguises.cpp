#include "collector/disguises.h"

#include <cstring>

// Functions of runtimes that are part of programs, whatever those are called: Chez Scheme (and so
// Racket), SBCL, CPython. Resolved by the loader, so nothing need be looked for.
extern "C" {
__attribute__((weak, visibility("default"))) void Sscheme_init(void (*)());
__attribute__((weak, visibility("default"))) void call_into_lisp();
__attribute__((weak, visibility("default"))) void* PyLong_FromVoidPtr(void*);
}

namespace heaprake::collector {

namespace {

struct Known {
  const char* file;  // begins so; some libraries are shipped with more than a number behind it
  Disguises disguises;
};
constexpr Known kKnown[] = {
    {"libfontconfig", kDistance}, {"libpython", kDigits},  {"_ctypes.", kDigits},
    {"_cffi_backend.", kDigits},  {"libruby", kShifted1},  {"fiddle.so", kShifted1},
    {"libracket", kShifted3},     {"libmoar", kUnaligned}, {"libdb-", kFromItself},
    {"libdb_", kFromItself},
};

}  // namespace

Disguises disguises_of(const char* file) {
  for (const Known& known : kKnown) {
    if (strncmp(file, known.file, strlen(known.file)) == 0) return known.disguises;
  }
  return 0;
}

Disguises disguises_of_program() {
  return static_cast<Disguises>((Sscheme_init ? kShifted3 : 0) | (call_into_lisp ? kShifted1 : 0) |
                                (PyLong_FromVoidPtr ? kDigits : 0));
}

}  // namespace heaprake::collector
