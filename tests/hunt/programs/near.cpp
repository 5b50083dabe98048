// Keeps one block of 100 bytes by a reference that may be doubtful, in one of many ways. What a
// hunt must say of it is in the table in CMakeLists.txt.
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace {

template <class T>
T* used(T* p) {
  asm volatile("" : "+r"(p) : : "memory");
  return p;
}
__attribute__((noinline)) void wipe_stack() {
  volatile char frame[32768];
  memset(const_cast<char*>(frame), 0, sizeof frame);
  asm volatile("" : : "r"(frame) : "memory");
}
__attribute__((noinline)) char* block() {
  return used(static_cast<char*>(calloc(1, 100)));
}

void* volatile known;

void keep_by_start() {
  known = block();
}
void keep_by_middle() {
  known = block() + 50;
}
void keep_by_end() {
  known = block() + 100;
}
void keep_by_middle_in_block() {
  known = calloc(4, sizeof(void*));
  static_cast<void**>(known)[1] = block() + 50;
}

struct One {
  virtual ~One() = default;
  long one = 1;
};
struct Two {
  virtual ~Two() = default;
  long two = 2;
};
struct Three {
  virtual ~Three() = default;
  long three = 3;
};
struct Both : One, Two {};
struct All : Three, Both {};
static_assert(sizeof(All) == 48);
// In All, Both begins at 16, and Two in that.
void keep_by_base() {
  Two* two = used(new All);
  known = two;
}
void keep_by_field() {
  known = &used(new All)->two;
}

struct Counted {
  ~Counted() { value = 0; }
  long value = 1;
};
void keep_by_first_element() {
  known = used(new Counted[10]);
}

// What a function that has returned had in its frame; nobody has written there since.
__attribute__((noinline)) void hold(int depth) {
  void* volatile kept[4] = {};
  if (depth == 0) kept[1] = block();
  if (depth == 0)
    wipe_stack();
  else
    hold(depth - 1);
  asm volatile("" : : "r"(kept) : "memory");
}
__attribute__((noinline)) void stay() {
  volatile char never_written[16384];
  asm volatile("" : : "r"(never_written));
  exit(0);
}
void keep_in_dead_frame() {
  hold(4);
  stay();
}
__attribute__((noinline)) void stay_in_use(void* kept) {
  void* volatile here = kept;
  stay();
  used(here);
}
void keep_in_living_frame() {
  stay_in_use(block());
}

// Threads that stand still in each of the other ways: one waits in libc, one is interrupted.
sem_t there;
volatile bool spinning;
__attribute__((noinline)) void wait_over_dead_frame() {
  volatile char never_written[16384];
  asm volatile("" : : "r"(never_written));
  sem_post(&there);
  for (;;) pause();
}
__attribute__((noinline)) void spin_over_dead_frame() {
  volatile char never_written[16384];
  asm volatile("" : : "r"(never_written));
  spinning = true;
  for (;;) asm volatile("pause");
}
void* wait_in_thread(void*) {
  hold(4);
  wait_over_dead_frame();
  return nullptr;
}
void* spin_in_thread(void*) {
  hold(4);
  spin_over_dead_frame();
  return nullptr;
}
void keep_in_waiting_thread() {
  pthread_t thread;
  sem_init(&there, 0, 0);
  pthread_create(&thread, nullptr, wait_in_thread, nullptr);
  sem_wait(&there);
  exit(0);
}
void keep_in_running_thread() {
  pthread_t thread;
  pthread_create(&thread, nullptr, spin_in_thread, nullptr);
  while (!spinning) sched_yield();
  exit(0);
}
// For those who ask while it runs: it ends with its input.
__attribute__((noinline)) void read_over_dead_frame() {
  volatile char never_written[16384];
  asm volatile("" : : "r"(never_written));
  char byte;
  while (read(0, &byte, 1) == 1) {
  }
  exit(0);
}
void keep_while_reading() {
  hold(4);
  read_over_dead_frame();
}

// Stacks may be anywhere in such a program, also below the stack pointer: all of it is scanned.
ucontext_t context;
__attribute__((noinline)) void hold_deep_below() {
  void* volatile low[8192];
  low[0] = block();
  asm volatile("" : : "r"(low) : "memory");
}
void keep_below_stack_pointer() {
  static char stack[65536];
  getcontext(&context);
  context.uc_stack = {stack, 0, sizeof stack};
  makecontext(&context, wipe_stack, 0);
  hold_deep_below();
  exit(0);
}

const struct {
  const char* name;
  void (*keep)();
} kWays[] = {
    {"start", keep_by_start},
    {"middle", keep_by_middle},
    {"end", keep_by_end},
    {"middle_in_block", keep_by_middle_in_block},
    {"base", keep_by_base},
    {"field", keep_by_field},
    {"first_element", keep_by_first_element},
    {"dead_frame", keep_in_dead_frame},
    {"living_frame", keep_in_living_frame},
    {"waiting_thread", keep_in_waiting_thread},
    {"running_thread", keep_in_running_thread},
    {"while_reading", keep_while_reading},
    {"below_stack_pointer", keep_below_stack_pointer},
};

}  // namespace

int main(int argc, char** argv) {
  for (const auto& way : kWays) {
    if (argc != 2 || strcmp(argv[1], way.name) != 0) continue;
    way.keep();
    wipe_stack();
    return 0;
  }
  return 2;
}
