// An object graph with finalizers: connections that refer to each other in circles, are simply
// dropped, and are closed all the same. One of them would rather be used again.
#include <cstdio>
#include <vector>

#include "heaprake/gc.hpp"

namespace {

struct Connection {
  explicit Connection(int number) : number(number) { std::printf("open %d\n", number); }
  ~Connection() { std::printf("close %d\n", number); }
  int number;
  Connection* peer = nullptr;
};

// gc::make: the destructor runs when a collection has found the object unreachable.
[[gnu::noinline]] void two_peers_and_their_client() {
  auto* client = gc::make<Connection>(1);
  client->peer = gc::make<Connection>(2);
  client->peer->peer = gc::make<Connection>(3);
  client->peer->peer->peer = client->peer;  // 2 and 3 refer to each other
}

std::vector<void*> pool;

// gc::set_finalizer: any function. This one makes the block reachable again, so that it stays;
// a finalizer runs once, so the next time it is dropped it goes without a word.
[[gnu::noinline]] void buffer_that_returns_to_its_pool() {
  void* buffer = operator new(4096);
  gc::set_finalizer(buffer, [](void* block) {
    std::puts("a buffer returns to the pool");
    pool.push_back(block);
  });
}

// Steps are functions of their own, and the dead part of the stack is wiped between them: see
// circular_demo.cpp.
[[gnu::noinline]] void clear_dead_stack() {
  volatile char dead[16384];
  for (volatile char& byte : dead) byte = 0;
}

[[gnu::noinline]] void collect() {
  clear_dead_stack();
  gc::collect();
}

}  // namespace

int main() {
  gc::disable_scope by_hand;
  two_peers_and_their_client();
  std::puts("dropped");
  collect();  // closes 1 before the two that it leads to

  buffer_that_returns_to_its_pool();
  collect();
  std::printf("in the pool: %zu\n", pool.size());
  collect();
  std::printf("still finalized: %s\n", gc::is_finalized(pool[0]) ? "yes" : "no");
}
