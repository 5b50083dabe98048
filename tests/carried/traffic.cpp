// usage: carried_traffic
// Many messages, some of which are received before their senders have come back; and messages that
// are not sent at all.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#define STEP __attribute__((noinline))

namespace {

constexpr int kMessages = 20000;
constexpr size_t kSize = 304;
size_t (*collect_now)();
int (*is_tracked)(const void*);
int ends[2];
std::atomic<bool> done{false};
uintptr_t dropped[kMessages];  // disguised

void expect(bool holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "traffic: %s (%s)\n", what, strerror(errno));
  _Exit(1);
}

STEP void wipe_stack() {
  char area[64 << 10];
  memset(area, 0, sizeof area);
  asm volatile("" : : "r"(area) : "memory");
}

void* produce(void*) {
  for (int i = 0; i < kMessages; ++i) {
    auto* block = static_cast<int*>(malloc(kSize));
    for (size_t k = 0; k < kSize / sizeof(int); ++k) block[k] = i;
    expect(write(ends[1], &block, sizeof block) == sizeof block, "write");
  }
  return nullptr;
}

void* consume(void*) {
  for (int i = 0; i < kMessages; ++i) {
    int* block = nullptr;
    expect(read(ends[0], &block, sizeof block) == sizeof block, "read");
    for (size_t k = 0; k < kSize / sizeof(int); ++k) expect(block[k] == i, "content");
    if (i % 2) {
      free(block);
    } else {
      dropped[i] = ~reinterpret_cast<uintptr_t>(block);
    }
  }
  done = true;
  return nullptr;
}

// Addresses are used again, so the same may have been dropped often.
STEP size_t still_there() {
  std::sort(dropped, dropped + kMessages);
  size_t count = 0;
  for (int i = 1; i < kMessages; ++i) {
    if (dropped[i] == dropped[i - 1]) continue;
    count += is_tracked(reinterpret_cast<void*>(~dropped[i])) != 0;
  }
  return count;
}

void pass_many(bool sockets) {
  done = false;
  expect((sockets ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : pipe(ends)) == 0, "open");
  pthread_t threads[2];
  pthread_create(&threads[0], nullptr, produce, nullptr);
  pthread_create(&threads[1], nullptr, consume, nullptr);
  while (!done) {
    if (collect_now) collect_now();
    usleep(200);
  }
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  if (!is_tracked || !collect_now) return;
  for (int i = 0; i < 3; ++i) {
    wipe_stack();
    collect_now();
  }
  // What lies about in the stacks of the two threads, and the first message of all, which may be
  // received before receivers know that there is anything to look for.
  expect(still_there() < 16, "blocks are kept that were received");
}

// The errors are those that the kernel gives without us.
STEP void send_badly() {
  auto* hole = static_cast<char*>(
      mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  mprotect(hole + 4096, 4096, PROT_NONE);
  expect(pipe2(ends, O_NONBLOCK) == 0, "pipe");
  // Addresses that no process has, whoever allocates.
  void* const bad[] = {nullptr, reinterpret_cast<void*>(16), hole + 4096,
                       reinterpret_cast<void*>(-4096)};
  for (void* address : bad) {
    errno = 0;
    expect(write(ends[1], address, 64) == -1 && errno == EFAULT, "write of a bad buffer");
    errno = 0;
    const iovec piece{address, 64};
    expect(writev(ends[1], &piece, 1) == -1 && errno == EFAULT, "writev of a bad buffer");
    errno = 0;
    expect(writev(ends[1], static_cast<iovec*>(address), 1) == -1 && errno == EFAULT,
           "writev of a bad list");
  }
  // The first half can be read, the second not; and a write that finds no room.
  expect(write(ends[1], hole + 4096 - 64, 128) <= 64, "a buffer that is half bad");
  char* block = static_cast<char*>(malloc(kSize));
  void* page[512];
  for (void*& word : page) word = block;
  while (write(ends[1], page, sizeof page) > 0) continue;
  expect(errno == EAGAIN, "a full pipe");
  close(ends[0]);
  close(ends[1]);
  expect(write(ends[1], page, sizeof page) == -1 && errno == EBADF, "a closed pipe");
  // errno is left alone by what succeeds.
  errno = 12345;
  expect(pipe(ends) == 0 && write(ends[1], page, 64) == 64 && read(ends[0], page, 64) == 64, "use");
  expect(errno == 12345, "errno has changed");
  munmap(hole, 8192);
  free(block);
}

}  // namespace

int main() {
  collect_now = reinterpret_cast<size_t (*)()>(dlsym(RTLD_DEFAULT, "heaprake_collect"));
  is_tracked = reinterpret_cast<int (*)(const void*)>(dlsym(RTLD_DEFAULT, "heaprake_is_tracked"));
  send_badly();
  pass_many(false);
  pass_many(true);
  return 0;
}
