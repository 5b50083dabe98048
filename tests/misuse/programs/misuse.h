/* What the programs share: an address that the compiler knows nothing about, so that it neither
 * warns nor removes the misuse; and the exit code of a program that was allowed to go on. */
#pragma once

#include <stdlib.h>

static inline void* hidden(void* p) {
  __asm__ volatile("" : "+r"(p));
  return p;
}

/* The heap still works after the report. */
static inline int went_on(void) {
  for (int i = 1; i < 1000; ++i) free(hidden(malloc((size_t)i * 10)));
  return 7;
}
