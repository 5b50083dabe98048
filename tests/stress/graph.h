// Graphs of nodes that can tell when one of them has been taken away: each node carries a checksum
// of its content, and nothing of a graph is ever freed by its owner but what release_extra says.
//
// Threads: a graph belongs to one thread at a time; whoever holds its root may call anything here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stress {

struct Node;

// xorshift64*, one per thread.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  uint64_t next();
  size_t below(size_t bound) { return static_cast<size_t>(next() % bound); }
  bool one_in(size_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

// What the run as a whole has done. Each thread has its own and adds it up at its end.
struct Tally {
  uint64_t nodes_built = 0;
  uint64_t bytes_built = 0;
  uint64_t nodes_checked = 0;
  uint64_t graphs_dropped = 0;
  uint64_t graphs_passed = 0;
  uint64_t threads_started = 0;
  void add(const Tally& other);
};

// A connected graph of `count` nodes, with cycles; its root.
Node* build(size_t count, Random& random, Tally& tally);

// Visits everything reachable from root and recomputes every checksum. Aborts with a message on the
// first node that is not what it was. Returns the number of nodes.
size_t check(Node* root, Random& random, Tally& tally);

// Cuts off parts, grafts new ones on, moves child tables with realloc, replaces extra blocks.
void mutate(Node* root, Random& random, Tally& tally);

}  // namespace stress
