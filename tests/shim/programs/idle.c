/* Frees a quarter of a GiB and waits: by then most of it must have gone back to the system. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct node {
  struct node* next;
  char text[120];
};

static long resident_mebibytes(void) {
  long total = 0, resident = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%ld %ld", &total, &resident) != 2) exit(1);
  fclose(file);
  return resident * sysconf(_SC_PAGESIZE) >> 20;
}

int main(void) {
  struct node* all = NULL;
  for (size_t bytes = 0; bytes < (size_t)256 << 20; bytes += sizeof *all) {
    struct node* node = malloc(sizeof *node);
    memset(node, 1, sizeof *node);
    node->next = all;
    all = node;
  }
  while (all) {
    struct node* next = all->next;
    free(all);
    all = next;
  }
  usleep(1000);
  long resident = resident_mebibytes();
  if (resident > 100) printf("%ld MiB\n", resident);
  return 0;
}
