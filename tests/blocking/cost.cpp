// usage: cost [ROUNDS]
// What a blocking call costs when it does not block, in nanoseconds; run it alone and with the
// library and compare. Not a test: a figure of a busy machine means nothing.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

uint64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

// The best of several runs: whatever else goes on only adds.
template <class Call>
void measure(const char* name, long rounds, Call call) {
  double best = 1e9;
  for (int run = 0; run < 9; ++run) {
    const uint64_t start = now_ns();
    for (long i = 0; i < rounds; ++i) call();
    best = std::min(best, static_cast<double>(now_ns() - start) / static_cast<double>(rounds));
  }
  std::printf("%-24s %8.1f ns\n", name, best);
}

}  // namespace

int main(int argc, char** argv) {
  const long rounds = argc > 1 ? std::atol(argv[1]) : 100000;
  char byte = 0;
  const int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
  measure("read, bad descriptor", rounds, [&] { (void)!read(-1, &byte, 1); });
  measure("read /dev/zero", rounds, [&] { (void)!read(zero, &byte, 1); });
  measure("write /dev/null", rounds, [&] { (void)!write(null, &byte, 1); });
  static char long_message[64 << 10];
  char message[4096] = {};
  auto* on_heap = static_cast<char*>(std::calloc(1, 4096));
  measure("write 64 B", rounds, [&] { (void)!write(null, message, 64); });
  measure("write 4 KiB", rounds, [&] { (void)!write(null, message, 4096); });
  measure("write 64 B, heap", rounds, [&] { (void)!write(null, on_heap, 64); });
  measure("write 64 KiB", rounds, [&] { (void)!write(null, long_message, sizeof long_message); });
  int ends[2];
  (void)!pipe(ends);
  measure("write and read a pipe", rounds, [&] {
    (void)!write(ends[1], message, 64);
    (void)!read(ends[0], message, 64);
  });
  measure("the same with a pointer", rounds, [&] {
    (void)!write(ends[1], &on_heap, sizeof on_heap);
    (void)!read(ends[0], message, sizeof on_heap);
  });
  pollfd wait{zero, POLLIN, 0};
  measure("poll, no time-out", rounds, [&] { poll(&wait, 1, -1); });
  measure("poll, a time-out", rounds, [&] { poll(&wait, 1, 1000); });
  const int epoll = epoll_create1(0);
  epoll_event event;
  measure("epoll_wait, at once", rounds, [&] { epoll_wait(epoll, &event, 1, 0); });
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  measure("sem_post and sem_wait", rounds, [&] {
    sem_post(&semaphore);
    sem_wait(&semaphore);
  });
  int word = 0;
  measure("syscall futex wake", rounds, [&] { syscall(SYS_futex, &word, 129, 1); });
  measure("syscall getpid", rounds, [&] { syscall(SYS_getpid); });
  signal(SIGUSR1, [](int) {});
  measure("raise, a handler", rounds / 10, [&] { raise(SIGUSR1); });
  return 0;
}
