/* usage: loader_test OUTER
 * dlopen as the dynamic loader's own: names are looked up where the caller says, RTLD_DEEPBIND and
 * namespaces work, and blocks may cross. Exit status 0 if all is well. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;
static void check(int right, const char* what) {
  if (right) return;
  fprintf(stderr, "wrong: %s (%s)\n", what, dlerror());
  ++failures;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  check(dlopen("libheaprake_inner.so", RTLD_NOW) == NULL, "found without the caller's RUNPATH");
  void* outer = dlopen(argv[1], RTLD_NOW);
  check(outer != NULL, "outer");
  if (!outer) return 1;
  void* (*outer_open)(const char*, int) = (void* (*)(const char*, int))dlsym(outer, "outer_open");
  void* inner = outer_open("libheaprake_inner.so", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  check(inner != NULL, "inner through the caller's RUNPATH");
  if (!inner) return 1;
  char* (*make)(void) = (char* (*)(void))dlsym(inner, "inner_make");
  void (*release)(void*) = (void (*)(void*))dlsym(inner, "inner_free");
  for (int i = 0; i < 1000; ++i) {
    char* text = make();
    check(strcmp(text, "from inside") == 0, "text");
    free(text);
    release(malloc(100));
  }
  check(dlclose(inner) == 0, "dlclose");
  void* apart = dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW | RTLD_DEEPBIND);
  check(apart != NULL, "dlmopen");
  if (apart) {
    check(dlsym(apart, "malloc") != (void*)&malloc, "a namespace of its own");
    check(dlclose(apart) == 0, "dlclose of the namespace");
  }
  check(dlopen("/nonexistent", RTLD_NOW | RTLD_DEEPBIND) == NULL, "a library that is not there");
  check(dlerror() != NULL, "its message");
  return failures != 0;
}
