/* What a collection looks at does not grow with the distance between the blocks: a wide one lies at
 * the other end of the heap's range. Counted in page faults of the first collection that sees it.
 */
#include <sys/resource.h>

#include "alive.h"
#include "heaprake/gc.h"

static long faults(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

int main(void) {
  bound();
  struct node* kept;
  put_list(&kept, 100);
  gc_collect();
  gc_collect();
  char* volatile wide = malloc(20u << 20);
  long before = faults();
  gc_collect();
  long taken = faults() - before;
  /* One for each page of a table over the whole range would be thousands. */
  MUST(taken < 1500);
  check_list(&kept, 100);
  free(wide);
  puts("few pages");
  return 0;
}
