/* What the programs here keep, lose, and check. A conservative scan sees dead copies of addresses
 * in frames and registers: whatever handles plain addresses is a function that is not inlined. */
#ifndef HEAPRAKE_TESTS_ALIVE_H
#define HEAPRAKE_TESTS_ALIVE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define APART __attribute__((noinline, unused)) static

/* A program that hangs ends by SIGALRM; where signals are blocked and it spins, by SIGKILL. */
static inline void bound(void) {
  struct rlimit processor = {60, 60};
  setrlimit(RLIMIT_CPU, &processor);
  alarm(60);
}

#define MUST(condition)                                                       \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      _exit(99);                                                              \
    }                                                                         \
  } while (0)

struct node {
  struct node* next;
  unsigned long number;
  char text[48];
};

/* Stores the only pointer to a list at `to`. */
APART void put_list(struct node** to, unsigned long count) {
  *to = NULL;
  for (unsigned long i = 0; i < count; ++i) {
    struct node* node = malloc(sizeof *node);
    node->next = *to;
    node->number = i;
    memset(node->text, (int)(i % 100), sizeof node->text);
    *to = node;
  }
}

APART void check_list(struct node* const* from, unsigned long count) {
  for (const struct node* node = *from; node; node = node->next) {
    MUST(count-- > 0 && node->number == count);
    for (size_t i = 0; i < sizeof node->text; ++i) MUST(node->text[i] == (char)(count % 100));
  }
  MUST(count == 0);
}

APART void clear_stack(void) {
  volatile char frame[16384];
  memset((char*)frame, 0, sizeof frame);
  __asm__ volatile("" : : "r"(frame) : "memory");
}

/* Garbage of a list's size and of others, which takes the place of anything freed wrongly. */
APART void churn(size_t bytes) {
  for (size_t done = 0, i = 0; done < bytes; ++i) {
    size_t size = i % 2 ? sizeof(struct node) : 16 + i * 7 % 500;
    memset(malloc(size), 0x5a, size);
    done += size;
  }
}

#endif
