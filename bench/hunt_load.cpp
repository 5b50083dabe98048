// What bench/hunt times: programs that allocate much and lose little. Knows no allocator.
//
//   hunt_load pairs [N]   N allocations on two threads, each from a few places at various depths;
//                         a window of them lives, one in a thousand is lost
//   hunt_load nodes [MiB [PERCENT]]
//                         lists of nodes of 48 bytes, 16 long, one in a hundred lost, or so many;
//                         all that is left is freed again
//   hunt_load shared [N]  N objects held by shared_ptr, of which one in ten is in a cycle and lost
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

struct Random {
  uint64_t state;
  uint64_t next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  }
};

[[gnu::noinline]] void* allocate(size_t size, unsigned depth) {
  if (depth != 0) {
    void* p = allocate(size, depth - 1);
    asm volatile("" : : "r"(p) : "memory");
    return p;
  }
  return malloc(size);
}

void pairs(uint64_t count, uint64_t seed) {
  constexpr size_t kWindow = 1024;
  std::vector<void*> window(kWindow);
  Random random{seed};
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t r = random.next();
    void*& slot = window[r % kWindow];
    if ((r >> 20) % 1000 != 0) free(slot);
    slot = allocate(16 + (r >> 32) % 112, (r >> 40) % 8);
    static_cast<volatile char*>(slot)[0] = 1;
  }
  for (void* p : window) free(p);
}

struct Node {
  Node* next;
  uint64_t payload[5];
};
static_assert(sizeof(Node) == 48);

[[gnu::noinline]] Node* chain(unsigned length) {
  Node* head = nullptr;
  for (unsigned i = 0; i < length; ++i) head = new Node{head, {i, i, i, i, i}};
  return head;
}

void nodes(size_t bytes, size_t percent) {
  std::vector<Node*> lists(bytes / sizeof(Node) / 16);
  for (Node*& list : lists) list = chain(16);
  for (size_t i = 0; i < lists.size(); ++i)
    if (i % 100 < percent) lists[i] = nullptr;
  for (Node* list : lists) {
    while (list) delete std::exchange(list, list->next);
  }
}

struct Shared {
  std::shared_ptr<Shared> other;
  std::string name;
};

void shared(size_t count) {
  std::vector<std::shared_ptr<Shared>> all(count);
  for (size_t i = 0; i < count; ++i) {
    all[i] = std::make_shared<Shared>();
    all[i]->name = "object number " + std::to_string(i);
    if (i % 20 == 1) {
      all[i]->other = all[i - 1];
      all[i - 1]->other = all[i];
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  const uint64_t amount = argc > 2 ? strtoull(argv[2], nullptr, 10) : 0;
  if (!std::strcmp(what, "pairs")) {
    const uint64_t count = amount ? amount : 50'000'000;
    std::thread other(pairs, count / 2, 88172645463325252u);
    pairs(count / 2, 1181783497276652981u);
    other.join();
  } else if (!std::strcmp(what, "nodes")) {
    nodes((amount ? amount : 1024) << 20, argc > 3 ? strtoull(argv[3], nullptr, 10) : 1);
  } else if (!std::strcmp(what, "shared")) {
    shared(amount ? amount : 1'000'000);
  } else {
    std::fprintf(stderr, "usage: hunt_load pairs|nodes|shared [AMOUNT [PERCENT]]\n");
    return 2;
  }
}
