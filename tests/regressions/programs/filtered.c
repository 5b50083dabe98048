// Installs a seccomp filter that allows what the loader and a small program need, and executes
// itself under it. Anything else ends the process, or fails with EPERM. The argument: errors, kill,
// groups (as a member of very many), or fork (in a second filter of its own).
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kMost = 64, kGroups = 2000, kSkipped = 77 };

static const int kToLoad[] = {SYS_execve,     SYS_access,  SYS_openat,    SYS_close,
                              SYS_read,       SYS_pread64, SYS_fstat,     SYS_newfstatat,
                              SYS_arch_prctl, SYS_rseq,    SYS_prlimit64, SYS_set_tid_address};
static const int kToWork[] = {SYS_brk,   SYS_mmap,      SYS_munmap,     SYS_mprotect,
                              SYS_write, SYS_getrandom, SYS_exit_group, SYS_set_robust_list};
static const int kToFork[] = {SYS_prctl, SYS_clone, SYS_wait4};

static struct sock_filter code[kMost];
static unsigned length;

static void add(unsigned short operation, unsigned operand, unsigned char skipped) {
  code[length++] = (struct sock_filter)BPF_JUMP(operation, operand, 0, skipped);
}
static void allow(const int* calls, size_t bytes) {
  for (size_t i = 0; i < bytes / sizeof *calls; ++i) {
    add(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i], 1);
    add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0);
  }
}

static int install(int loads, int forks, unsigned otherwise) {
  length = 0;
  add(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0);
  allow(kToWork, sizeof kToWork);
  if (loads) allow(kToLoad, sizeof kToLoad);
  if (forks) allow(kToFork, sizeof kToFork);
  add(BPF_RET | BPF_K, otherwise, 0);
  struct sock_fprog program = {(unsigned short)length, code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

// So many that the line of /proc/self/status which names them fills a page.
static int join_groups(void) {
  static gid_t groups[kGroups];
  for (unsigned i = 0; i < kGroups; ++i) groups[i] = 100000 + i;
  return setgroups(kGroups, groups);
}

// Small blocks, cycles among them, and large ones that go back to the system.
static void work(void) {
  enum { kBlocks = 2000, kRounds = 60 };
  for (int round = 0; round < kRounds; ++round) {
    void** blocks[kBlocks];
    for (int i = 0; i < kBlocks; ++i) {
      blocks[i] = calloc(1, 16 + (size_t)(i % 300) * 8);
      if (!blocks[i]) _exit(1);
      blocks[i][0] = blocks[i / 2];
    }
    for (int i = 0; i < kBlocks; i += 2) free(blocks[i]);
    const size_t size = (size_t)1 << (16 + round % 10);
    unsigned char* large = calloc(1, size);
    if (!large || large[0] || large[size - 1]) _exit(1);
    memset(large, 1, size);
    free(large);
  }
}

// Shuts itself in further, as sandboxed programs do, and forks.
static int fork_inside(void) {
  if (install(0, 1, SECCOMP_RET_KILL_PROCESS)) return 1;
  const pid_t child = fork();
  if (child == 0) {
    work();
    _exit(0);
  }
  int status;
  return waitpid(child, &status, 0) != child || status != 0;
}

int main(int argc, char** argv) {
  if (argc == 1 || !strcmp(argv[1], "inside")) {
    if (argc != 1 && fork_inside()) return 1;
    work();
    return write(1, "worked\n", 7) != 7;
  }
  if (!strcmp(argv[1], "groups") && join_groups()) return kSkipped;
  const int forks = !strcmp(argv[1], "fork");
  const int errors = !strcmp(argv[1], "errors");
  if (install(1, forks, errors ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_KILL_PROCESS)) {
    return errno == EINVAL || errno == ENOSYS ? kSkipped : 1;
  }
  execl(argv[0], argv[0], forks ? "inside" : NULL, (char*)NULL);
  return 1;
}
