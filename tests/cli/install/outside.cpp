#include <cstdio>
#include <cstdlib>

#include <heaprake/gc.hpp>

__attribute__((noinline)) static gc::id_t lose() {
  void** block = static_cast<void**>(std::malloc(64));
  *block = block;
  return gc::id(block);
}

__attribute__((noinline)) static void wipe_stack() {
  volatile char space[4096];
  for (volatile char& byte : space) byte = 0;
}

int main() {
  gc::disable();
  const gc::id_t id = lose();
  wipe_stack();
  const bool before = gc::object_exists(id);
  gc::collect();
  std::printf("%d %d\n", before, gc::object_exists(id));
}
