// A program that has never heard of heaprake. It loses three rings of two nodes and one block,
// keeps one list, and ends:
//   leaker                 by returning from main
//   leaker stay STATUS     the same, once its standard input has ended
//   leaker end WAY         in another way, with 0 or by a signal
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <sys/syscall.h>
#include <unistd.h>

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
  for (volatile char& byte : space) byte = 0;
}

void end(const char* way) {
  const auto is = [way](const char* name) { return std::strcmp(way, name) == 0; };
  if (is("exit")) std::exit(0);
  if (is("_exit")) _exit(0);
  if (is("_Exit")) std::_Exit(0);
  if (is("quick_exit")) std::quick_exit(0);
  if (is("abort")) std::abort();
  if (is("exit_group")) syscall(SYS_exit_group, 0);
  if (is("exec")) execl("/proc/self/exe", "leaker", nullptr);
  if (is("exec_clean")) {
    char* words[] = {const_cast<char*>("true"), nullptr};
    execve("/bin/true", words, words + 1);
  }
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
  if (argc > 2 && std::strcmp(argv[1], "end") == 0) end(argv[2]);
  return argc > 2 ? std::atoi(argv[2]) : 0;
}
