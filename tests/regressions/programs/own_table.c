/* A thread has a table of descriptors of its own, in which an epoll holds the only pointer to a
 * list. The argument says how it got it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "alive.h"

enum { kNodes = 200 };

static volatile int ready, go_on;
static const char* way;

APART void add_list(int epoll, int fd) {
  struct node* list;
  put_list(&list, kNodes);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = list};
  MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

APART void wait_for_list(int epoll) {
  struct epoll_event event;
  MUST(epoll_wait(epoll, &event, 1, 10000) == 1);
  struct node* list = event.data.ptr;
  check_list(&list, kNodes);
}

static void part(void) {
  if (!strcmp(way, "unshare")) MUST(unshare(CLONE_FILES) == 0);
  if (!strcmp(way, "raw")) MUST(syscall(SYS_unshare, CLONE_FILES) == 0);
  /* Closes nothing. */
  if (!strcmp(way, "close_range")) MUST(close_range(60000, ~0U, CLOSE_RANGE_UNSHARE) == 0);
}

static void* run(void* none) {
  part();
  int ends[2], other = epoll_create1(0);
  MUST(pipe(ends) == 0);
  /* A number that nobody else has open. */
  int epoll = fcntl(other, F_DUPFD, 100);
  MUST(close(other) == 0);
  add_list(epoll, ends[0]);
  clear_stack();
  ready = 1;
  while (!go_on) usleep(100);
  MUST(write(ends[1], "x", 1) == 1);
  wait_for_list(epoll);
  return none;
}

int main(int argc, char** argv) {
  bound();
  MUST(argc == 2);
  way = argv[1];
  pthread_t thread;
  MUST(pthread_create(&thread, NULL, run, NULL) == 0);
  while (!ready) usleep(100);
  MUST(fcntl(100, F_GETFD) == -1);
  clear_stack();
  churn(4 << 20);
  go_on = 1;
  MUST(pthread_join(thread, NULL) == 0);
  puts("alive");
  return 0;
}
