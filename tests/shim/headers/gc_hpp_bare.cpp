// Without exceptions and run-time type information.
#include <heaprake/gc.hpp>

namespace {
struct Thing {
  ~Thing() { n = 0; }
  int n = 1;
};
}  // namespace

std::size_t use_gc_hpp_bare();
std::size_t use_gc_hpp_bare() {
  Thing* thing = gc::make<Thing>();
  gc::weak<Thing> weak(thing);
  gc::set_finalizer(thing, [](void*) {});
  std::vector<int, gc::allocator<int>> numbers(3);
  std::vector<int, gc::leaf_allocator<int>> leaves(3);
  gc::memory_resource resource("bare");
  std::pmr::vector<int> named(3, &resource);
  return gc::collect() + gc::objects().size() + numbers.size() + leaves.size() + named.size() +
         (weak.expired() ? 0 : 1);
}

int main() {
  return use_gc_hpp_bare() >= 9 ? 0 : 1;  // the lengths of the vectors alone
}
