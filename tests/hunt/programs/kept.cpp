// Keeps one block, and nothing but one kind of root knows it: a hunt must not find it lost. Ends by
// exit() in the place where it is kept, or by returning from main.
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

template <class T>
T* used(T* p) {
  asm volatile("" : "+r"(p) : : "memory");
  return p;
}
__attribute__((noinline)) void* block() {
  return used(calloc(1, 100));
}
sem_t there;
__attribute__((noinline)) void wipe_stack() {
  volatile char frame[32768];
  memset(const_cast<char*>(frame), 0, sizeof frame);
  asm volatile("" : : "r"(frame) : "memory");
}

// Volatile, since nobody reads them.
void* volatile in_data = &there;
void* volatile in_bss;
thread_local void* volatile in_tls;

void keep_data() {
  in_data = block();
}
void keep_bss() {
  in_bss = block();
}
void keep_tls() {
  in_tls = block();
}
void keep_dynamic_tls() {
  void* plugin = dlopen(HUNT_PLUGIN, RTLD_NOW | RTLD_LOCAL);
  if (!plugin) _exit(3);
  reinterpret_cast<void (*)(void*)>(dlsym(plugin, "plugin_keep"))(block());
}
void keep_key(int number) {
  pthread_key_t key = 0;
  while (static_cast<int>(key) < number && pthread_key_create(&key, nullptr) == 0) {
  }
  if (pthread_setspecific(key, block()) != 0) _exit(3);
}
void keep_low_key() {
  keep_key(5);
}
void keep_high_key() {
  keep_key(100);
}

// Frames are alive if exit is called in them.
__attribute__((noinline)) void exit_here() {
  exit(0);
}
void keep_stack() {
  void* volatile kept = block();
  exit_here();
  used(kept);
}

void* hold_on_stack(void*) {
  void* volatile kept = block();
  wipe_stack();
  sem_post(&there);
  for (;;) pause();
  used(kept);
  return nullptr;
}
void start(void* (*body)(void*), void* argument) {
  pthread_t thread;
  sem_init(&there, 0, 0);
  pthread_create(&thread, nullptr, body, argument);
  sem_wait(&there);
}
void keep_thread_stack() {
  start(hold_on_stack, nullptr);
}

volatile bool spinning;
void* hold_in_r15(void*) {
  uintptr_t kept = ~reinterpret_cast<uintptr_t>(block());
  wipe_stack();
  asm volatile(
      "notq %0\n movq %0, %%r15\n xorl %k0, %k0\n movb $1, %1\n"
      "1: pause\n jmp 1b"
      : "+r"(kept), "=m"(spinning)
      :
      : "r15", "memory");
  return nullptr;
}
void* hold_in_xmm0(void*) {
  uintptr_t kept = ~reinterpret_cast<uintptr_t>(block());
  wipe_stack();
  asm volatile(
      "notq %0\n movq %0, %%xmm0\n xorl %k0, %k0\n movb $1, %1\n"
      "1: pause\n jmp 1b"
      : "+r"(kept), "=m"(spinning)
      :
      : "xmm0", "memory");
  return nullptr;
}
void spin(void* (*body)(void*)) {
  pthread_t thread;
  pthread_create(&thread, nullptr, body, nullptr);
  while (!spinning) sched_yield();
}
void keep_r15() {
  spin(hold_in_r15);
}
void keep_xmm0() {
  spin(hold_in_xmm0);
}

// libc's own note of the argument is all that is left.
void* forget_argument(void*) {
  wipe_stack();
  sem_post(&there);
  for (;;) pause();
}
void keep_thread_argument() {
  start(forget_argument, block());
}
volatile pid_t ending;
void* return_block(void*) {
  ending = gettid();
  return block();
}
// It has ended, and nobody has picked up what it returned.
void keep_thread_result() {
  pthread_t thread;
  pthread_create(&thread, nullptr, return_block, nullptr);
  while (!ending) sched_yield();
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d", ending);
  while (access(path, F_OK) == 0) sched_yield();
}

uintptr_t* pages(int flags) {
  void* p = mmap(nullptr, 8192, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) _exit(3);
  return static_cast<uintptr_t*>(p);
}
void keep_arena() {
  pages(MAP_PRIVATE)[700] = reinterpret_cast<uintptr_t>(block());
}
void keep_shared() {
  pages(MAP_SHARED)[700] = reinterpret_cast<uintptr_t>(block());
}
void keep_sysv_shared() {
  const int id = shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0600);
  void* memory = shmat(id, nullptr, 0);
  shmctl(id, IPC_RMID, nullptr);
  static_cast<uintptr_t*>(memory)[700] = reinterpret_cast<uintptr_t>(block());
}
void keep_epoll() {
  int ends[2];
  if (pipe(ends) != 0) _exit(3);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = block();
  epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, ends[0], &event);
}

void in_handler(int) {
  void* volatile kept = block();
  wipe_stack();
  exit_here();
  used(kept);
}
// An alternate stack in a mapping of its own, on which exit is called.
void keep_altstack() {
  stack_t stack{};
  stack.ss_size = 64 * 1024;
  stack.ss_sp =
      mmap(nullptr, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = in_handler;
  action.sa_flags = SA_ONSTACK;
  sigaction(SIGUSR1, &action, nullptr);
  raise(SIGUSR1);
}

ucontext_t main_context, coroutine;
void hold_in_coroutine() {
  void* volatile kept = block();
  wipe_stack();
  swapcontext(&coroutine, &main_context);
  used(kept);
}
void keep_coroutine() {
  getcontext(&coroutine);
  coroutine.uc_stack.ss_size = 256 * 1024;
  coroutine.uc_stack.ss_sp = mmap(nullptr, coroutine.uc_stack.ss_size, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  coroutine.uc_link = &main_context;
  makecontext(&coroutine, hold_in_coroutine, 0);
  swapcontext(&main_context, &coroutine);
}

void keep_interior() {
  in_bss = static_cast<char*>(block()) + 50;
}
void keep_chain() {
  auto* first = static_cast<void**>(block());
  auto* second = static_cast<void**>(block());
  in_bss = first;
  first[3] = second;
  second[4] = block();
}
void keep_environment() {
  setenv("HUNT_KEPT", "a value that needs a block of its own", 1);
}

const struct {
  const char* name;
  void (*keep)();
} kWays[] = {
    {"data", keep_data},
    {"bss", keep_bss},
    {"tls", keep_tls},
    {"dynamic_tls", keep_dynamic_tls},
    {"low_key", keep_low_key},
    {"high_key", keep_high_key},
    {"stack", keep_stack},
    {"thread_stack", keep_thread_stack},
    {"r15", keep_r15},
    {"xmm0", keep_xmm0},
    {"thread_argument", keep_thread_argument},
    {"thread_result", keep_thread_result},
    {"arena", keep_arena},
    {"shared", keep_shared},
    {"sysv_shared", keep_sysv_shared},
    {"epoll", keep_epoll},
    {"altstack", keep_altstack},
    {"coroutine", keep_coroutine},
    {"interior", keep_interior},
    {"chain", keep_chain},
    {"environment", keep_environment},
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
