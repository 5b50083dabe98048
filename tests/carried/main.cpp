// usage: carried_victim survives|released CASE
// survives: the block must outlive collections while only the kernel knows it, and be usable.
// released: once the address has been taken back and dropped, the block must go.
// Ends with 0, 1 (wrong), or 77 (the kernel does not allow it here).
#include <dlfcn.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "steps.h"

namespace carried {
namespace {

constexpr size_t kSize = 304;  // no block of the C library's own start-up has this size
uintptr_t hidden;              // the block's address, disguised

size_t (*collect_now)();
int (*is_tracked)(const void*);

STEP void wipe_stack() {
  char area[64 << 10];
  memset(area, 0, sizeof area);
  asm volatile("" : : "r"(area) : "memory");
}

// What was wrongly freed is used again, and overwritten.
STEP void churn() {
  for (int i = 0; i < 3000; ++i) {
    void* block = malloc(kSize);
    memset(block, 0xee, kSize);
    asm volatile("" : : "r"(block) : "memory");
  }
}

STEP void* block() {
  return reinterpret_cast<void*>(~hidden);
}

STEP bool put(const Case& tested) {
  auto* block = static_cast<unsigned char*>(malloc(kSize));
  for (size_t i = 0; i < kSize; ++i) block[i] = static_cast<unsigned char>(i * 7);
  hidden = ~reinterpret_cast<uintptr_t>(block);
  return tested.put(block);
}

STEP void get_and_use(const Case& tested) {
  auto* got = static_cast<unsigned char*>(tested.get());
  expect(got == block(), "another address came back");
  for (size_t i = 0; i < kSize; ++i) {
    expect(got[i] == static_cast<unsigned char>(i * 7), "the block's content has changed");
  }
  free(got);
}

STEP void get_and_drop(const Case& tested) {
  expect(tested.get() == block(), "another address came back");
}

STEP void expect_alive() {
  expect(exists(block()), "the block was reclaimed while the kernel held its address");
}

void settle() {
  for (int i = 0; i < 3; ++i) {
    wipe_stack();
    churn();
    wipe_stack();
    collect();
  }
}

int run(const Case& tested, bool released) {
  // What the case needs once (libc's buffers, lazily bound functions) comes before.
  if (!put(tested)) {
    printf("skipped: %s\n", strerror(errno));
    return 77;
  }
  settle();
  expect_alive();
  if (!released) {
    get_and_use(tested);
    if (tested.end) tested.end();
    return 0;
  }
  get_and_drop(tested);
  if (tested.end) tested.end();
  for (int i = 0; i < 3; ++i) settle();
  expect(!exists(block()), "the block is still kept");
  return 0;
}

const Case* find(const Case* cases, size_t count, const char* name) {
  for (size_t i = 0; i < count; ++i) {
    if (!strcmp(cases[i].name, name)) return &cases[i];
  }
  return nullptr;
}

}  // namespace

void collect() {
  if (collect_now) collect_now();
}
bool exists(void* block) {
  return !is_tracked || is_tracked(block) != 0;
}
void fail(const char* what) {
  fprintf(stderr, "carried: %s\n", what);
  _Exit(1);
}

}  // namespace carried

int main(int argc, char** argv) {
  using namespace carried;
  if (argc != 3) return 2;
  collect_now = reinterpret_cast<size_t (*)()>(dlsym(RTLD_DEFAULT, "heaprake_collect"));
  is_tracked = reinterpret_cast<int (*)(const void*)>(dlsym(RTLD_DEFAULT, "heaprake_is_tracked"));
  const Case* tested = find(kMessageCases, kMessageCaseCount, argv[2]);
  if (!tested) tested = find(kSignalCases, kSignalCaseCount, argv[2]);
  if (!tested) tested = find(kEpollCases, kEpollCaseCount, argv[2]);
  if (!tested) fail("no such case");
  return run(*tested, !strcmp(argv[1], "released"));
}
