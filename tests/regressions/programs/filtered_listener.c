/* A filter that leaves the calls of one thread to another thread of the process, which answers each
 * with "go on". Where all threads stand still nobody answers. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "alive.h"

enum { kCalls = 50, kSkipped = 77 };

static int listener = -1;
static pthread_barrier_t installed;

static int install(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1;
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                      &program);
}

static void* answer(void* unused) {
  (void)unused;
  pthread_barrier_wait(&installed);
  for (int i = 0; listener >= 0 && i < kCalls; ++i) {
    struct seccomp_notif question = {0};
    MUST(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) == 0);
    struct seccomp_notif_resp go_on = {.id = question.id,
                                       .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    MUST(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &go_on) == 0);
  }
  return NULL;
}

static void* ask(void* unused) {
  (void)unused;
  listener = install();
  pthread_barrier_wait(&installed);
  for (int i = 0; listener >= 0 && i < kCalls; ++i) {
    const int file = (int)syscall(SYS_openat, -100, "/dev/null", 0);
    MUST(file >= 0 && close(file) == 0);
    churn(100000);
  }
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  bound();
  pthread_barrier_init(&installed, NULL, 2);
  MUST(pthread_create(&threads[0], NULL, answer, NULL) == 0);
  MUST(pthread_create(&threads[1], NULL, ask, NULL) == 0);
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  if (listener < 0) return kSkipped;
  puts("answered");
  return 0;
}
