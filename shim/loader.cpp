// dlclose, after which other code may come to the addresses of what was closed.
#include "allocator/ledger.h"
#include "shim/export.h"
#include "shim/interposed.h"

HEAPRAKE_NEXT(int(void*), dlclose);

HEAPRAKE_EXPORT int dlclose(void* handle) noexcept {
  const int result = heaprake_next_dlclose(handle);
  heaprake::heap::ledger::note_unloading();
  return result;
}
