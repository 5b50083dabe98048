/* Loses far more than its address space holds. Natively malloc fails; a collection must come before
 * that. The limit stands when the process begins. */
#include <sys/resource.h>

#include "alive.h"

enum { kLimitMib = 600, kLostMib = 2500, kMib = 1 << 20 };

int main(int argc, char** argv) {
  bound();
  if (argc == 1) {
    struct rlimit limit = {(rlim_t)kLimitMib * kMib, (rlim_t)kLimitMib * kMib};
    MUST(setrlimit(RLIMIT_AS, &limit) == 0);
    execl("/proc/self/exe", argv[0], "limited", NULL);
    return 98;
  }
  struct node* kept;
  put_list(&kept, 100);
  for (int i = 0; i < kLostMib; ++i) {
    char* volatile lost = malloc(kMib);
    if (!lost) {
      puts("no memory");
      return 1;
    }
    for (size_t j = 0; j < kMib; j += 4096) lost[j] = 1;
  }
  check_list(&kept, 100);
  puts("enough");
  return 0;
}
