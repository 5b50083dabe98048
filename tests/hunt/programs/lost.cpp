// Loses something, in one of many ways, and returns from main. What a hunt must count is in the
// table in CMakeLists.txt.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Node {
  Node *left = nullptr, *right = nullptr;
  long pad[3] = {};
};
static_assert(sizeof(Node) == 40);

// What the compiler cannot see through: every block made is really made.
template <class T>
T* used(T* p) {
  asm volatile("" : "+r"(p) : : "memory");
  return p;
}

Node* tree(int count) {
  if (count == 0) return nullptr;
  Node* node = used(new Node);
  node->left = tree((count - 1) / 2);
  node->right = tree(count - 1 - (count - 1) / 2);
  return node;
}

Node* list(int count) {
  Node* first = nullptr;
  for (int i = 0; i < count; i++) {
    Node* node = used(new Node);
    node->left = first;
    first = node;
  }
  return first;
}

Node* cycle(int count) {
  Node* first = list(count);
  Node* last = first;
  while (last->left) last = last->left;
  last->left = first;
  return used(first);
}

void lose_single() {
  memset(used(malloc(100)), 0, 100);
}
void lose_self() {
  Node* node = used(new Node);
  node->right = node;
  used(node);
}
void lose_tree() {
  used(tree(7));
}
void lose_list() {
  used(list(16));
}
void lose_cycle() {
  cycle(3);
}
// The first cycle refers to the second: one structure, whose root is the first.
void lose_linked_cycles() {
  Node* second = cycle(2);
  Node* first = cycle(2);
  first->right = second;
  used(first);
}
// Two structures, and what both lead to belongs to one of them.
void lose_shared_child() {
  Node *child = list(1), *one = list(1), *two = list(1);
  one->right = two->right = child;
  used(one), used(two);
}
void lose_empty() {
  used(malloc(0));
}
void lose_by_realloc() {
  // The table shrinks, and with it goes the only word that knew the node.
  void** table = static_cast<void**>(calloc(1000, sizeof *table));
  static void** kept;
  kept = used(table);
  kept[999] = list(1);
  kept = static_cast<void**>(realloc(kept, 10 * sizeof *kept));
  used(kept);
}

struct Counted {
  explicit Counted(long n = 0) : value(n) {}
  ~Counted() { value = 0; }
  long value;
};
// The pointer that the program has lies behind the number of elements; it is lost all the same.
void lose_array_with_cookie() {
  used(new Counted[10]);
}
void lose_array_without_cookie() {
  used(new long[10]());
}

struct One {
  virtual ~One() = default;
  long one = 1;
};
struct Two {
  virtual ~Two() = default;
  long two = 2;
};
struct Both : One, Two {};
void lose_multiple_inheritance() {
  Two* two = used(new Both);
  used(two);
}

void lose_large() {
  char* block = static_cast<char*>(used(malloc(100 << 20)));
  block[0] = block[(100 << 20) - 1] = 1;
  used(block);
}

thread_local Node* mine;
void* hold_and_end(void*) {
  mine = used(list(2));
  return nullptr;
}
void lose_at_thread_end() {
  pthread_t thread;
  pthread_create(&thread, nullptr, hold_and_end, nullptr);
  pthread_join(thread, nullptr);
}

// The child's loss is the child's to report; what the parent has lost before is the parent's alone.
__attribute__((noinline)) void lose_list_of(int count) {
  used(list(count));
}
__attribute__((noinline)) void wipe_stack() {
  volatile char frame[16384];
  memset(const_cast<char*>(frame), 0, sizeof frame);
  asm volatile("" : : "r"(frame) : "memory");
}
void lose_in_child() {
  lose_list_of(3);
  if (fork() == 0) {
    lose_list_of(5);
    wipe_stack();
    _exit(0);
  }
  wait(nullptr);
}

// Memory that has been other blocks', and lies in lists of free ones.
__attribute__((noinline)) void leave_leftovers(size_t size) {
  static void* blocks[20000];
  for (void*& block : blocks) block = memset(used(malloc(size)), 1, size);
  for (void*& block : blocks) {
    free(block);
    block = nullptr;
  }
  wipe_stack();
}

// Half of them are kept; nothing is ever written into any.
__attribute__((noinline)) void lose_half_of(void* (*make)()) {
  static void* kept[200];
  for (void*& block : kept) {
    block = used(make());
    used(make());
  }
  wipe_stack();
}
void lose_unwritten() {
  leave_leftovers(5000);
  lose_half_of([] { return malloc(12000); });
}
void lose_unwritten_small() {
  leave_leftovers(40);
  lose_half_of([] { return malloc(300); });
}
void lose_unwritten_aligned() {
  leave_leftovers(200);
  lose_half_of([] { return aligned_alloc(64, 3008); });
}
void lose_unwritten_grown() {
  leave_leftovers(200);
  lose_half_of([] { return realloc(used(malloc(100)), 3000); });
}

const struct {
  const char* name;
  void (*lose)();
} kWays[] = {
    {"single", lose_single},
    {"self", lose_self},
    {"tree", lose_tree},
    {"list", lose_list},
    {"cycle", lose_cycle},
    {"linked_cycles", lose_linked_cycles},
    {"shared_child", lose_shared_child},
    {"empty", lose_empty},
    {"realloc", lose_by_realloc},
    {"array_with_cookie", lose_array_with_cookie},
    {"array_without_cookie", lose_array_without_cookie},
    {"multiple_inheritance", lose_multiple_inheritance},
    {"large", lose_large},
    {"thread_end", lose_at_thread_end},
    {"child", lose_in_child},
    {"unwritten", lose_unwritten},
    {"unwritten_small", lose_unwritten_small},
    {"unwritten_aligned", lose_unwritten_aligned},
    {"unwritten_grown", lose_unwritten_grown},
};

}  // namespace

int main(int argc, char** argv) {
  for (const auto& way : kWays) {
    if (argc == 2 && strcmp(argv[1], way.name) == 0) return way.lose(), 0;
  }
  return 2;
}
