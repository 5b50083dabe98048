#include "collector/user_code.h"

#include "collector/cycle.h"

namespace heaprake::collector {

namespace {

// Initial-exec, like all of the library's.
__thread UserCode* innermost = nullptr;

uintptr_t magic_of(const UserCode* record) {
  return ~reinterpret_cast<uintptr_t>(record) * 0x9e37'79b9'7f4a'7c15u;
}

}  // namespace

UserCode::UserCode() : magic_(magic_of(this)), outer_(innermost) {
  innermost = this;
}

UserCode::~UserCode() {
  innermost = outer_;
  // Nothing is left that looks like a record in use.
  *const_cast<volatile uintptr_t*>(&magic_) = 0;
}

bool UserCode::is_running(uintptr_t sp) {
  if (!innermost) return false;
  // It may have stood on a coroutine's stack that is gone.
  uintptr_t magic = 0;
  const auto record = reinterpret_cast<uintptr_t>(innermost);
  const platform::AddressSpace space;
  space.read_guarded(&magic, reinterpret_cast<uintptr_t>(&innermost->magic_), sizeof magic);
  if (sp < record && magic == magic_of(innermost)) return true;
  innermost = nullptr;
  tell(Event::kWarning, "a finalizer or callback was left by longjmp or an exception");
  return false;
}

}  // namespace heaprake::collector
