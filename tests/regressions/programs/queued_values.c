/* Blocks whose addresses are only in signals that another thread has queued: main has nothing but
 * what its handler is given, which it looks at while the calls that it waits in have not returned.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heaprake/gc.h"

enum { kValues = 1000, kWords = 12, kRunners = 3 };
static const uint64_t kContent = 0x1122334455667788;

static volatile int handled, over, wrong;

static void handle(int signal, siginfo_t* info, void* context) {
  (void)signal, (void)context;
  uint64_t* words = info->si_value.sival_ptr;
  for (int i = 0; i < kWords; i++) wrong += words[i] != kContent;
  __atomic_fetch_add(&handled, 1, __ATOMIC_RELEASE);
}

__attribute__((noinline)) static void wipe(void) {
  volatile char frame[4096];
  memset((char*)frame, 0, sizeof frame);
}

__attribute__((noinline)) static void send(void) {
  uint64_t* words = malloc(kWords * sizeof *words);
  for (int i = 0; i < kWords; i++) words[i] = kContent;
  while (sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_ptr = words}) != 0) usleep(100);
}

static void* send_all(void* nothing) {
  for (int i = 0; i < kValues; i++) {
    send();
    wipe();
    while (__atomic_load_n(&handled, __ATOMIC_ACQUIRE) <= i) usleep(20);
  }
  over = 1;
  return nothing;
}

static void* collect(void* nothing) {
  while (!over) gc_collect();
  return nothing;
}
// Whoever runs has to be stopped, which takes a while.
static void* run(void* nothing) {
  while (!over)
    for (volatile int i = 0; i < 1000; i++) continue;
  return nothing;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
  sigaction(SIGRTMIN + 2, &action, NULL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 2);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  pthread_t threads[kRunners + 2];
  for (int i = 0; i < kRunners; i++) pthread_create(&threads[i], NULL, run, NULL);
  pthread_create(&threads[kRunners], NULL, collect, NULL);
  pthread_create(&threads[kRunners + 1], NULL, send_all, NULL);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  while (!over) poll(NULL, 0, 1000);
  for (int i = 0; i < kRunners + 2; i++) pthread_join(threads[i], NULL);
  puts(wrong ? "a block was reclaimed" : "whole");
  return 0;
}
