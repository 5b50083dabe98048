// Loses cycles of shared_ptrs with weak_ptrs beside them, each of a size of its own, and pointers.
#include <cstring>
#include <functional>
#include <memory>

namespace {

struct Second;
// The commonest of all: each knows itself by a weak_ptr at its beginning.
struct First : std::enable_shared_from_this<First> {
  std::shared_ptr<Second> second;
  char more[100];
};
struct Second : std::enable_shared_from_this<Second> {
  std::shared_ptr<First> first;
  char more[200];
};
struct Keeper : std::enable_shared_from_this<Keeper> {
  std::shared_ptr<Keeper> keep;
  char more[300];
};
struct Caller : std::enable_shared_from_this<Caller> {
  std::function<void()> call;
  char more[400];
};
struct Back;
struct There {
  std::shared_ptr<Back> back;
  char more[500];
};
struct Back {
  std::weak_ptr<There> seen;
  std::shared_ptr<There> there;
  char more[600];
};
// No cycle of owners: the only shared_ptr to the upper one has been overwritten.
struct Lower;
struct Upper {
  std::shared_ptr<Lower> lower;
  char more[700];
};
struct Lower {
  std::weak_ptr<Upper> upper;
  char more[800];
};

// None either: of two words that refer to a middle one, the counts say only that one is weak, but
// of those that refer to the top one that all are.
struct Branch {
  std::weak_ptr<Branch> above;
  std::shared_ptr<Branch> below[2];
  char more[1100];
};

// No cycles, but pointers in blocks of their own: to one that has been destroyed, and to one that
// each of the two may own.
struct Gone {
  char more[900];
};
struct Either {
  char more[1000];
};

template <class T>
__attribute__((noinline)) void use(T& value) {
  asm volatile("" ::"r"(&value) : "memory");
}

__attribute__((noinline)) void lose() {
  std::shared_ptr<First> first(new First);
  first->second.reset(new Second);
  first->second->first = first;
  auto keeper = std::make_shared<Keeper>();
  keeper->keep = keeper->shared_from_this();
  std::shared_ptr<Caller> caller(new Caller);
  caller->call = [self = caller->shared_from_this()] { use(self); };
  std::shared_ptr<There> there(new There);
  there->back.reset(new Back);
  there->back->seen = there;
  there->back->there = there;
  std::shared_ptr<Upper> upper(new Upper);
  upper->lower.reset(new Lower);
  upper->lower->upper = upper;
  alignas(std::shared_ptr<Upper>) char forgotten[sizeof upper];
  use(*new (forgotten) std::shared_ptr<Upper>(std::move(upper)));
  auto top = std::make_shared<Branch>();
  for (auto& middle : top->below) {
    middle = std::make_shared<Branch>();
    middle->above = top;
    middle->below[1] = std::make_shared<Branch>();
    middle->below[1]->above = middle;
  }
  alignas(std::shared_ptr<Branch>) char overwritten[sizeof top];
  use(*new (overwritten) std::shared_ptr<Branch>(std::move(top)));
  auto gone = std::make_shared<Gone>();
  for (int i = 0; i < 2; ++i) use(*new std::weak_ptr<Gone>(gone));
  auto either = std::make_shared<Either>();
  use(*new std::shared_ptr<Either>(either));
  use(*new std::weak_ptr<Either>(either));
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
