// Loses 100 bytes, and then makes it hard to tell.
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void take_another_user(void) {
  if (setgroups(0, NULL) != 0 || setresgid(65534, 65534, 65534) != 0 ||
      setresuid(65534, 65534, 65534) != 0)
    exit(3);
}

static void limit(int resource, rlim_t most) {
  const struct rlimit limit = {most, most};
  if (setrlimit(resource, &limit) != 0) exit(3);
}

int main(int argc, char** argv) {
  const char* how = argc == 2 ? argv[1] : "";
  void* volatile lost = malloc(100);
  memset(lost, 0, 100);
  lost = NULL;
  if (strcmp(how, "user") == 0) {
    take_another_user();
  } else if (strcmp(how, "root") == 0) {
    char empty[] = "/tmp/heaprake-empty-XXXXXX";
    const int there = mkdtemp(empty) ? open(empty, O_RDONLY | O_DIRECTORY) : -1;
    if (there < 0 || fchdir(there) != 0 || rmdir(empty) != 0 || chroot(".") != 0) exit(3);
    close(there);
  } else if (strcmp(how, "descriptors") == 0) {
    limit(RLIMIT_NOFILE, 0);
  } else if (strcmp(how, "file_size") == 0) {
    limit(RLIMIT_FSIZE, 100);
  } else if (strcmp(how, "background") == 0) {
    if (daemon(0, 1) != 0) exit(3);
    close(1);
    close(2);
    sleep(2);
  } else {
    return 2;
  }
  return 0;
}
