/* Found through the RUNPATH of outer.c's library only. Has a malloc'd block freed by others, and
 * frees one that others have malloc'd. */
#include <stdlib.h>
#include <string.h>

char* inner_make(void) {
  return strdup("from inside");
}
void inner_free(void* p) {
  free(p);
}
