// Programs behind seccomp filters:
//   shut_in inherited PROGRAM ARG...   executes the program under a filter that allows everything
//   shut_in own STATUS [socket]        installs a filter that ends it when a signal handler
//                                      returns, or when it makes a socket; ends with its input
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kSkipped = 77 };

static void install(unsigned forbidden) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, forbidden, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
    _exit(errno == EINVAL || errno == ENOSYS ? kSkipped : 1);
}

int main(int argc, char** argv) {
  const unsigned kNoCall = 0x7fff;
  if (argc < 3) return 1;
  if (!strcmp(argv[1], "inherited")) {
    install(kNoCall);
    execv(argv[2], argv + 2);
    return 1;
  }
  install(argc > 3 ? SYS_socket : SYS_rt_sigreturn);
  puts("ready");
  fflush(stdout);
  while (getchar() != EOF) {
  }
  return atoi(argv[2]);
}
