// Three cycles of a parent and a child that hold each other by shared_ptr, as an unsuspecting
// program makes them. Built with optimisation, without debug information, stripped.
#include <cstdio>
#include <memory>
#include <string>

struct Child;
struct Parent {
  std::string name;
  std::shared_ptr<Child> child;
};
struct Child {
  std::shared_ptr<Parent> parent;
  int number = 0;
};

__attribute__((noinline)) static void make_family(int number) {
  auto parent = std::make_shared<Parent>();
  parent->name = "a name that is too long to stand in its object " + std::to_string(number);
  parent->child = std::make_shared<Child>();
  parent->child->parent = parent;
}

__attribute__((noinline)) static void clear_stack() {
  volatile char frame[16384];
  for (volatile char& c : frame) c = 0;
}

int main() {
  make_family(1);
  make_family(2);
  make_family(3);
  clear_stack();
  std::puts("made");
}
