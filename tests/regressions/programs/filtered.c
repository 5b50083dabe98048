// Installs a seccomp filter that allows what the loader and a small program need, and executes
// itself under it. Anything else ends the process, or fails with EPERM.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kLoads = 1, kMost = 64, kSkipped = 77 };

static const int kAllowed[] = {SYS_execve,
                               SYS_brk,
                               SYS_mmap,
                               SYS_munmap,
                               SYS_mprotect,
                               SYS_access,
                               SYS_openat,
                               SYS_close,
                               SYS_read,
                               SYS_pread64,
                               SYS_fstat,
                               SYS_newfstatat,
                               SYS_arch_prctl,
                               SYS_rseq,
                               SYS_set_tid_address,
                               SYS_prlimit64,
                               SYS_set_robust_list,
                               SYS_getrandom,
                               SYS_write,
                               SYS_exit_group};

static int install(unsigned otherwise) {
  struct sock_filter code[kMost];
  const unsigned count = sizeof kAllowed / sizeof *kAllowed;
  code[0] =
      (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (unsigned i = 0; i < count; ++i) {
    code[kLoads + i] = (struct sock_filter)BPF_JUMP(
        BPF_JMP | BPF_JEQ | BPF_K, (unsigned)kAllowed[i], (unsigned char)(count - i), 0);
  }
  code[kLoads + count] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, otherwise);
  code[kLoads + count + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {(unsigned short)(kLoads + count + 2), code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
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

int main(int argc, char** argv) {
  if (argc == 1) {
    work();
    return write(1, "worked\n", 7) != 7;
  }
  if (install(strcmp(argv[1], "kill") ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_KILL_PROCESS)) {
    return errno == EINVAL || errno == ENOSYS ? kSkipped : 1;
  }
  execl(argv[0], argv[0], (char*)NULL);
  return 1;
}
