// A program that has never heard of heaprake. It loses three rings of two nodes and one block,
// keeps one list, and ends:
//   leaker                 by returning from main
//   leaker stay STATUS     the same, once its standard input has ended
//   leaker stay STATUS joined   the same after a second thread, with 111 if a signal ends a wait
//   leaker stay STATUS left     the same in a second thread; the main thread has ended
//   leaker stay STATUS busy     the same beside a second thread that never waits
//   leaker end WAY         in another way, with 0 or by a signal
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <poll.h>
#include <pthread.h>
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

void stay() {
  std::puts("ready");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
}

// Only ends of waiting that SA_RESTART does not hide show that a signal came.
[[noreturn]] void stay_unless_signalled(int status) {
  std::thread([] {}).join();
  std::puts("ready");
  std::fflush(stdout);
  pollfd input = {0, POLLIN, 0};
  std::_Exit(poll(&input, 1, -1) == 1 ? status : 111);
}

void start_busy_thread() {
  std::thread([] {
    for (volatile unsigned turns = 0;;) turns = turns + 1;
  }).detach();
}

int status_later = 0;

void* stay_alone(void* main_thread) {
  pthread_join(*static_cast<pthread_t*>(main_thread), nullptr);
  stay();
  std::exit(status_later);
}

[[noreturn]] void stay_without_main_thread(int status) {
  static pthread_t main_thread = pthread_self();
  status_later = status;
  pthread_t thread;
  if (pthread_create(&thread, nullptr, stay_alone, &main_thread) != 0) std::abort();
  pthread_exit(nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  lose_and_keep();
  wipe_stack();
  const auto is = [&](int i, const char* word) {
    return argc > i && std::strcmp(argv[i], word) == 0;
  };
  if (is(3, "joined")) stay_unless_signalled(std::atoi(argv[2]));
  if (is(3, "left")) stay_without_main_thread(std::atoi(argv[2]));
  if (is(3, "busy")) start_busy_thread();
  if (is(1, "stay")) stay();
  if (is(1, "end") && argc > 2) end(argv[2]);
  return argc > 2 ? std::atoi(argv[2]) : 0;
}
