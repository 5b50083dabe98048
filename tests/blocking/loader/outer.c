/* Opens the library in its own RUNPATH by its bare name. */
#include <dlfcn.h>

void* outer_open(const char* name, int flags) {
  /* Not the last thing done here, which would make it a jump and our caller its caller. */
  void* volatile library = dlopen(name, flags);
  return library;
}
