/* Loses two lists, in functions of their own, and says in LeakSanitizer's way what it wants of
 * that. */
#include <stdlib.h>
#include <string.h>

/* Said once, and then used for something else. */
static char words[] = "verbosity=0:exitcode=7";
const char* __lsan_default_options(void) {
  return words;
}

static void* volatile head;

/* One call of malloc, whatever a compiler makes of loops. */
__attribute__((noinline)) static void lose(volatile int count) {
  for (head = NULL; count > 0; count--) {
    void** node = malloc(24);
    *node = head;
    head = node;
  }
  head = NULL;
}
__attribute__((noinline)) void lose_short_list(void) {
  lose(2);
  __asm__ volatile("");
}
__attribute__((noinline)) void lose_long_list(void) {
  lose(5);
  __asm__ volatile("");
}

int main(void) {
  memset(words, 'x', sizeof words - 1);
  lose_short_list();
  lose_long_list();
  return 0;
}
