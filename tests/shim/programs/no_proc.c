/* Goes where there is no /proc, and goes on losing blocks. Only root may. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(void) {
  char directory[] = "/tmp/heaprake-no-proc-XXXXXX";
  if (!mkdtemp(directory)) return 1;
  int moved = chroot(directory) == 0 && chdir("/") == 0;
  if (!moved) rmdir(directory);
  for (int i = 0; i < 3000; ++i) memset(malloc(1000), 1, 1000);
  puts(moved ? "lost" : "not root");
  return 0;
}
