/* The first thread ends, and the others go on: its id stays in the list of threads, but nothing
 * there answers, and /proc/self shows no memory. The argument says how it ends; every list lives,
 * and 10,000 blocks are lost. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#include "alive.h"

enum { kNodes = 300, kLost = 10000 };

static struct node* global_list;

APART void lose(void) {
  for (int i = 0; i < kLost; ++i) memset(malloc(400), 1, 400);
}

/* The state letter of the first thread, as the kernel gives it. */
static char state_of_main(void) {
  char path[64], text[256];
  snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)getpid(), (int)getpid());
  int file = open(path, O_RDONLY);
  ssize_t n = file < 0 ? -1 : read(file, text, sizeof text - 1);
  MUST(n > 0);
  close(file);
  text[n] = 0;
  return strrchr(text, ')')[2];
}

static void* go_on(void* argument) {
  struct node* volatile from_main = argument;
  struct node* volatile own;
  put_list((struct node**)&own, kNodes);
  while (state_of_main() != 'Z') sched_yield();
  lose();
  for (int i = 0; i < 10; ++i) {
    churn(400 << 10);
    check_list(&global_list, kNodes);
    check_list((struct node**)&from_main, kNodes);
    check_list((struct node**)&own, kNodes);
  }
  puts("alive");
  exit(6);
}

/* As go_on, but nothing else is lost, so that a hunt can be counted. */
static void* only_lose(void* argument) {
  struct node* volatile from_main = argument;
  while (state_of_main() != 'Z') sched_yield();
  lose();
  clear_stack();
  check_list(&global_list, kNodes);
  check_list((struct node**)&from_main, kNodes);
  puts("alive");
  exit(6);
}

int main(int argc, char** argv) {
  bound();
  MUST(argc >= 2);
  put_list(&global_list, kNodes);
  struct node* list;
  put_list(&list, kNodes);
  pthread_t thread;
  pthread_create(&thread, NULL, argc > 2 ? only_lose : go_on, list);
  list = NULL;
  if (*argv[1] == 'r') syscall(SYS_exit, 0);
  pthread_exit(NULL);
}
