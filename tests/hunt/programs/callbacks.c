// Loses two structs that begin with two functions, of one of which the first one is not set.
#include <stdlib.h>
#include <string.h>

struct operations {
  int (*open)(int);
  int (*close)(int);
  char* name;
  long number;
};

__attribute__((noinline)) static int on_open(int x) {
  __asm__ volatile("");
  return x + 1;
}

__attribute__((noinline)) static int on_close(int x) {
  __asm__ volatile("");
  return x * 3;
}

__attribute__((noinline)) static void use(const void* p) {
  __asm__ volatile("" ::"r"(p) : "memory");
}

__attribute__((noinline)) static void lose(int (*open)(int), size_t name) {
  struct operations* lost = malloc(sizeof *lost);
  *lost = (struct operations){open, on_close, malloc(name), 5};
  use(lost);
}

__attribute__((noinline)) static void wipe(void) {
  char stack[8192];
  memset(stack, 0, sizeof stack);
  use(stack);
}

int main(int count, char** arguments) {
  (void)arguments;
  lose(on_open, 30);
  lose(NULL, 77);
  wipe();
  return on_open(count) == 99 || on_close(count) == 77;
}
