/* A filter that ends the program for calls that only a large heap makes: those that ask for huge
 * pages, and those that look how long one took. Then the heap gets large. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include "alive.h"

enum { kBlocks = 3000000, kBytes = 56 };

static const struct {
  unsigned call, argument, value;
} forbidden[] = {{SYS_clock_gettime, 0, CLOCK_THREAD_CPUTIME_ID},
                 {SYS_madvise, 2, MADV_HUGEPAGE},
                 {SYS_madvise, 2, MADV_NOHUGEPAGE}};

static void install(void) {
  struct sock_filter code[32];
  unsigned short length = 0;
  for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; ++i) {
    const unsigned argument =
        offsetof(struct seccomp_data, args) + forbidden[i].argument * sizeof(__u64);
    const struct sock_filter one[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, forbidden[i].call, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, forbidden[i].value, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};
    memcpy(code + length, one, sizeof one);
    length += sizeof one / sizeof *one;
  }
  code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {length, code};
  MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

int main(void) {
  bound();
  install();
  void** last = NULL;
  for (int i = 0; i < kBlocks; ++i) {
    void** block = malloc(kBytes);
    *block = last;
    last = block;
  }
  size_t count = 0;
  for (; last; last = *last) ++count;
  MUST(count == kBlocks);
  puts("survived");
  return 0;
}
