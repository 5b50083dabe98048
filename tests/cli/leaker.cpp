// A program that has never heard of heaprake. It loses three rings of two nodes and one block,
// keeps one list, and, asked to stay, says so and waits for its standard input to end.
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Node {
  Node* next;
  char text[32];
};

Node* kept = nullptr;

// A compiler that sees that nobody reads a block leaves its stores out, or the block.
void keep_compiler_from_looking(void* block) {
  __asm__ volatile("" : : "r"(block) : "memory");
}

__attribute__((noinline)) void lose_and_keep() {
  for (int i = 0; i < 3; i++) {
    Node* a = new Node{};
    Node* b = new Node{};
    a->next = b;
    b->next = a;
    keep_compiler_from_looking(a);
  }
  void* block = std::malloc(100);
  std::memset(block, 1, 100);
  keep_compiler_from_looking(block);
  for (int i = 0; i < 4; i++) kept = new Node{kept, {}};
}

// Leaves nothing of what the calls before it had on the stack.
__attribute__((noinline)) void wipe_stack() {
  volatile char space[4096];
  for (size_t i = 0; i < sizeof space; i++) space[i] = 0;
}

}  // namespace

int main(int argc, char** argv) {
  lose_and_keep();
  wipe_stack();
  if (argc > 1 && std::strcmp(argv[1], "stay") == 0) {
    std::puts("ready");
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
  }
  return argc > 2 ? std::atoi(argv[2]) : 0;
}
