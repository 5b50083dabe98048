/* Sends the only pointers to blocks through a socket, under a seccomp filter of its own which ends
 * it for calls that it does not make: the argument "asks" forbids to ask what a socket is, "stops"
 * to ask anything of a descriptor or of the thread, and to stop threads, so that nothing is
 * collected. A descriptor is sent as well, of which the library takes note. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "alive.h"

enum { kMessages = 50, kSkipped = 77 };

static int install(int stops) {
  const unsigned other = stops ? SYS_fstat : SYS_getsockopt;
  const unsigned third = stops ? SYS_membarrier : SYS_getsockopt;
  const unsigned fourth = stops ? SYS_arch_prctl : SYS_getsockopt;
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsockopt, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, fourth, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, third, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

APART void send_lists(int to) {
  for (int i = 0; i < kMessages; ++i) {
    struct node* list;
    put_list(&list, 20);
    MUST(send(to, &list, sizeof list, 0) == sizeof list);
  }
}

static void send_descriptor(int to) {
  char byte = 0;
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
  memcpy(CMSG_DATA(&control.header), &to, sizeof to);
  struct iovec piece = {&byte, 1};
  struct msghdr message = {.msg_iov = &piece,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control};
  MUST(sendmsg(to, &message, 0) == 1);
}

APART void receive_lists(int from) {
  for (int i = 0; i < kMessages; ++i) {
    struct node* list;
    MUST(recv(from, &list, sizeof list, 0) == sizeof list);
    check_list(&list, 20);
  }
}

APART void drop_lists(void) {
  for (int i = 0; i < 6000; ++i) {
    struct node* list;
    put_list(&list, 3);
  }
}

int main(int argc, char** argv) {
  int ends[2];
  bound();
  MUST(argc == 2 && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
  if (install(strcmp(argv[1], "stops") == 0)) return kSkipped;
  for (int round = 0; round < 3; ++round) {
    send_lists(ends[0]);
    clear_stack();
    drop_lists();
    receive_lists(ends[1]);
    send_descriptor(ends[0]);
    char byte;
    MUST(recv(ends[1], &byte, 1, 0) == 1);
  }
  MUST(write(1, "received\n", 9) == 9); /* stdio would ask what its descriptor is */
  _exit(0);
}
