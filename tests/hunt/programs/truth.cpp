// Loses exactly so much among much that it keeps or frees:
//
//   truth mixed|chains|cycles [PARTS]      of a hundred parts of the whole size; 1 by default
//
// mixed: 50M allocations on two threads, of which 10,000 single blocks, 10,000 pairs and 10,000
// cycles of two are lost. chains: a GiB in lists of 16 nodes of 48 bytes, 10,486 of them lost.
// cycles: a million objects, 350,000 of them in 100,000 lost cycles of two to five.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

namespace {

struct Node {
  Node* next = nullptr;
  uint64_t payload[5] = {};
};
static_assert(sizeof(Node) == 48);

template <class T>
T* used(T* p) {
  asm volatile("" : "+r"(p) : : "memory");
  return p;
}

[[gnu::noinline]] Node* chain(uint64_t length) {
  Node* first = nullptr;
  for (uint64_t i = 0; i < length; ++i) first = used(new Node{first, {i, i, i, i, i}});
  return first;
}

[[gnu::noinline]] void lose_cycle(uint64_t length) {
  Node* first = chain(length);
  Node* last = first;
  while (last->next) last = last->next;
  last->next = first;
  used(last);
}

[[gnu::noinline]] void lose_chain(uint64_t length) {
  chain(length);
}

// What calls have left on the stack does not keep anything.
[[gnu::noinline]] void wipe_stack() {
  volatile char frame[16384];
  memset(const_cast<char*>(frame), 0, sizeof frame);
  asm volatile("" : : "r"(frame) : "memory");
}

void churn(uint64_t allocations, uint64_t each) {
  constexpr size_t kWindow = 1024;
  std::vector<void*> window(kWindow);
  // A cycle, a pair and a single block are five allocations.
  const uint64_t others = allocations - 5 * each;
  for (uint64_t i = 0, lost = 0; i < others; ++i) {
    void*& slot = window[i * 2654435761u % kWindow];
    free(slot);
    slot = used(malloc(16 + i % 112));
    if (lost * others < each * (i + 1) && lost < each) {
      lose_chain(1);
      lose_chain(2);
      lose_cycle(2);
      ++lost;
    }
  }
  for (void* p : window) free(p);
  wipe_stack();
}

void mixed(uint64_t parts) {
  std::thread other(churn, 250'000 * parts, 50 * parts);
  churn(250'000 * parts, 50 * parts);
  other.join();
}

void chains(uint64_t parts) {
  // Still there when global destructors have run.
  static auto& lists = *used(new std::vector<Node*>);
  lists.resize((parts << 30) / 100 / sizeof(Node) / 16);
  for (Node*& list : lists) list = chain(16);
  const size_t lost = 10'486 * parts / 100;
  for (size_t i = 0; i < lost; ++i) lists[i * (lists.size() / lost)] = nullptr;
}

void cycles(uint64_t parts) {
  static Node* kept;
  for (uint64_t i = 0; i < 1'000 * parts; ++i) {
    lose_cycle(2 + i % 4);
    for (int j = 0; j < 13; ++j)
      if (i % 2 == 0) kept = used(new Node{kept, {}});
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  const uint64_t parts = argc > 2 ? strtoull(argv[2], nullptr, 10) : 1;
  if (!strcmp(what, "mixed")) {
    mixed(parts);
  } else if (!strcmp(what, "chains")) {
    chains(parts);
  } else if (!strcmp(what, "cycles")) {
    cycles(parts);
  } else {
    return 2;
  }
  wipe_stack();
  return 0;
}
