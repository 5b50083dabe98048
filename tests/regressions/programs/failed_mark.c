/* Collections that fail half-way for want of memory, each while the garbage of the one before waits
 * for the next allocation to free it: that allocation must not take what the failed one has marked
 * for garbage. */
#include <fcntl.h>
#include <sys/resource.h>

#include "commander.h"
#include "heaprake/gc.h"

enum { kGroups = 8, kGroup = 8192, kSteps = 64, kStep = 32 << 10 };

static void** groups[kGroups];
static void* volatile taken[2048];

APART void build(void) {
  for (int g = 0; g < kGroups; ++g) {
    groups[g] = malloc(kGroup * sizeof(void*));
    for (int i = 0; i < kGroup; ++i) groups[g][i] = malloc(16);
  }
}

APART int gone(void) {
  int gone = 0;
  for (int g = 0; g < kGroups; ++g) {
    for (int i = 0; i < kGroup; ++i) gone += !gc_is_tracked(groups[g][i]);
  }
  return gone;
}

APART void lose(void) {
  for (int i = 0; i < 100; ++i) memset(malloc(200), 1, 200);
}

/* Writable memory of its own, in bytes. */
static size_t data_size(void) {
  char text[4096];
  int file = open("/proc/self/status", O_RDONLY);
  ssize_t n = read(file, text, sizeof text - 1);
  MUST(n > 0);
  close(file);
  text[n] = 0;
  const char* line = strstr(text, "\nVmData:");
  MUST(line != NULL);
  return strtoul(line + 8, NULL, 10) * 1024;
}

/* Not of address space: that is laid by for such a day. */
static void limit(size_t bytes) {
  struct rlimit now;
  getrlimit(RLIMIT_DATA, &now);
  now.rlim_cur = bytes < now.rlim_max ? bytes : now.rlim_max;
  MUST(setrlimit(RLIMIT_DATA, &now) == 0);
}

int main(void) {
  bound();
  start_commander();
  build();
  int failed = 0;
  for (size_t step = 0; step < kSteps; ++step) {
    lose();
    clear_stack();
    struct result before = ask_here(HEAPRAKE_REQUEST_COLLECT);
    MUST(before.status == HEAPRAKE_OK && before.collected.pending == 1);
    limit(data_size() + step * kStep);
    struct result limited = ask_here(HEAPRAKE_REQUEST_COLLECT);
    limit(RLIM_INFINITY);
    failed += limited.status == HEAPRAKE_GAVE_UP;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; ++i) taken[i] = malloc(1000);
    MUST(gone() == 0);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; ++i) free(taken[i]);
  }
  MUST(failed > 0);
  gc_stats stats;
  gc_get_stats(&stats);
  MUST(stats.given_up == (uint64_t)failed);
  puts("nothing freed");
  return 0;
}
