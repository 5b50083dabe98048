// Loses std::unique_ptrs that are all of their blocks: by themselves, and as the only member.
#include <cstring>
#include <memory>

struct Thing {
  virtual ~Thing() = default;
  long more[20] = {};
};
struct Other {
  virtual ~Other() = default;
  long more[30] = {};
};
struct Holder {
  std::unique_ptr<Thing> only;
};

namespace {

template <class T>
__attribute__((noinline)) void use(T& value) {
  asm volatile("" ::"r"(&value) : "memory");
}

__attribute__((noinline)) void lose() {
  use(*new std::unique_ptr<Thing>(new Thing));
  use(*new Holder{std::unique_ptr<Thing>(new Thing)});
  use(*new Other*(new Other));
}

__attribute__((noinline)) void wipe() {
  char stack[8192];
  std::memset(stack, 0, sizeof stack);
  use(stack);
}

}  // namespace

int main() {
  lose();
  wipe();
  return 0;
}
