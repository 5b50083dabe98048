/* A library whose constructor runs before that of a preloaded library: the wrapped calls must work
 * by then. early_failures says what did not. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int early_failures = -1;
static volatile int handled;

static void handler(int signal) {
  handled = signal;
}
static void* thread(void* argument) {
  return argument;
}

__attribute__((constructor)) static void early(void) {
  int failures = 0;
  const struct timespec time = {0, 1000};
  failures += nanosleep(&time, NULL) != 0;
  failures += poll(NULL, 0, 1) != 0;
  failures += syscall(SYS_gettid) <= 0;
  errno = 0;
  char byte;
  failures += read(-1, &byte, 1) != -1 || errno != EBADF;
  const int fd = open("/dev/zero", O_RDONLY);
  failures += fd < 0 || read(fd, &byte, 1) != 1 || fcntl(fd, F_GETFD) != 0;
  close(fd);
  void (*old)(int) = signal(SIGUSR2, handler);
  raise(SIGUSR2);
  failures += handled != SIGUSR2 || signal(SIGUSR2, old) != handler;
  pthread_t id;
  void* result = NULL;
  failures += pthread_create(&id, NULL, thread, &id) != 0 || pthread_join(id, &result) != 0;
  failures += result != &id;
  const pid_t child = vfork();
  if (child == 0) _exit(3);
  int status = 0;
  failures += waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 3;
  void* self = dlopen(NULL, RTLD_NOW | RTLD_DEEPBIND);
  failures += self == NULL || dlclose(self) != 0;
  early_failures = failures;
}
