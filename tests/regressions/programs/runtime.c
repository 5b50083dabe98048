/* A library with code in it: only its name counts. */
int runtime(void) {
  return 1;
}
