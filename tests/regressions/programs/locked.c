// Locks its memory in one of several ways, and looks whether its own is locked as mlockall(2) says
// and nothing unused is. Ends with 77 where the process may not lock memory at all.
//   locked current | both | fault | future | undone | limit
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { kMiB = 1 << 20 };

static int failures = 0;
static void expect(int good, const char* what) {
  if (good) return;
  fprintf(stderr, "not so: %s (errno %d)\n", what, errno);
  failures++;
}

// A figure of /proc/self/status, in KiB.
static long status(const char* name) {
  FILE* file = fopen("/proc/self/status", "r");
  char line[200];
  long value = -1;
  while (file && fgets(line, sizeof line, file)) {
    if (strncmp(line, name, strlen(name)) == 0) value = atol(line + strlen(name) + 1);
  }
  if (file) fclose(file);
  return value;
}

// What the kernel says of the mapping that holds p: KiB of it that are locked in memory.
static long locked_around(const void* p) {
  FILE* file = fopen("/proc/self/smaps", "r");
  char line[5000];
  int here = 0;
  long value = -1;
  while (file && fgets(line, sizeof line, file)) {
    unsigned long lo, hi;
    if (sscanf(line, "%lx-%lx ", &lo, &hi) == 2 && strchr(line, '-') < line + 17)
      here = (unsigned long)p >= lo && (unsigned long)p < hi;
    if (here && strncmp(line, "Locked:", 7) == 0) value = atol(line + 7);
  }
  if (file) fclose(file);
  return value;
}

// KiB of a mapping of one MiB that are in memory.
static long resident(char* mapping) {
  unsigned char pages[kMiB / 4096];
  long count = 0;
  if (mincore(mapping, kMiB, pages) != 0) return -1;
  for (int i = 0; i < kMiB / 4096; i++) count += pages[i] & 1;
  return count * 4;
}

static char* untouched_mapping(void) {
  return mmap(NULL, kMiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static char* touched_block(void) {
  char* block = malloc(3 * kMiB);
  memset(block, 1, 3 * kMiB);
  return block;
}

static void expect_no_tables(void) {
  expect(status("VmPTE") < 8 * 1024, "page tables take less than 8 MiB");
  expect(status("VmLck") < 512 * 1024, "less than 512 MiB are locked");
}

static void lose_blocks(void) {
  for (int i = 0; i < 20000; i++) {
    void* volatile lost = malloc(48);
    (void)lost;
  }
}

// MCL_FUTURE alone succeeds whatever the limit is, and then every malloc fails.
static void need_the_right_to_lock(void) {
  const size_t much = 256 * (size_t)kMiB;
  void* memory = mmap(NULL, much, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mlock(memory, much) != 0) exit(77);
  munmap(memory, much);
}

static void lock_now_and_later(int flags) {
  need_the_right_to_lock();
  char* before = untouched_mapping();
  char* block = touched_block();
  lose_blocks();
  if (mlockall(flags) != 0) exit(77);
  char* after = untouched_mapping();
  char* block_after = touched_block();
  char* large_after = malloc(100 * kMiB);
  memset(large_after, 1, 100 * kMiB);
  lose_blocks();
  const int current = (flags & MCL_CURRENT) != 0, future = (flags & MCL_FUTURE) != 0;
  const int populates = (flags & MCL_ONFAULT) == 0;
  expect(resident(before) == (current && populates ? 1024 : 0), "the mapping is there");
  if (current) expect(locked_around(block) >= 3 * 1024, "the block is locked");
  expect(resident(after) == (future && populates ? 1024 : 0), "so is a later one");
  if (future) {
    expect(locked_around(block_after) >= 3 * 1024, "a later block is locked");
    expect(locked_around(large_after) >= 100 * 1024, "a later large block is locked");
  }
  expect_no_tables();
  free(block), free(block_after), free(large_after);
  lose_blocks();
}

static void lock_and_undo(void) {
  need_the_right_to_lock();
  if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) exit(77);
  expect(mlockall(MCL_CURRENT) == 0, "the future may be left out again");
  expect(resident(untouched_mapping()) == 0, "then it is not locked");
  expect(status("VmLck") > 0, "the present is");
  expect(munlockall() == 0, "all can be unlocked");
  char* large = malloc(100 * kMiB);
  memset(large, 1, 100 * kMiB);
  expect(status("VmLck") == 0, "nothing is locked");
  expect(mlockall(0) == -1 && errno == EINVAL, "no flags are an error");
  expect(mlockall(MCL_ONFAULT) == -1 && errno == EINVAL, "so is ONFAULT alone");
  expect(mlockall(1 << 20) == -1 && errno == EINVAL, "so is an unknown flag");
}

static void set_limit(rlim_t bytes) {
  struct rlimit limit;
  getrlimit(RLIMIT_MEMLOCK, &limit);
  limit.rlim_cur = bytes;
  expect(setrlimit(RLIMIT_MEMLOCK, &limit) == 0, "the limit can be set");
}

// Without privileges.
static void lock_within_limits(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_max < 8 * kMiB) exit(77);
  if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setuid(65534) != 0)) exit(77);
  char* block = malloc(kMiB);
  memset(block, 1, kMiB);
  set_limit(0);
  expect(mlockall(MCL_CURRENT) == -1 && errno == EPERM, "EPERM where nothing may be locked");
  expect(mlockall(MCL_FUTURE) == -1 && errno == EPERM, "in future neither");
  set_limit(64 * 1024);
  expect(mlockall(MCL_CURRENT) == -1 && errno == ENOMEM, "ENOMEM where it would be too much");
  expect(status("VmLck") == 0, "and nothing is locked");
  set_limit(8 * kMiB);
  char* mapping = untouched_mapping();
  expect(mlockall(MCL_CURRENT) == 0, "within the limit all is locked");
  expect(locked_around(block) >= 1024, "the block is");
  expect(locked_around(mapping) >= 1024, "the mapping is");
  expect(status("VmLck") <= 8 * 1024, "no more than the limit");
  lose_blocks();
  expect_no_tables();
}

int main(int argc, char** argv) {
  const char* way = argc > 1 ? argv[1] : "";
  if (strcmp(way, "current") == 0) lock_now_and_later(MCL_CURRENT);
  if (strcmp(way, "both") == 0) lock_now_and_later(MCL_CURRENT | MCL_FUTURE);
  if (strcmp(way, "fault") == 0) lock_now_and_later(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
  if (strcmp(way, "future") == 0) lock_now_and_later(MCL_FUTURE);
  if (strcmp(way, "undone") == 0) lock_and_undo();
  if (strcmp(way, "limit") == 0) lock_within_limits();
  if (failures == 0) puts("as asked");
  return failures != 0;
}
