/* A library with code in it: only its name counts, and that a thread is in it meanwhile. */
int at_work(void (*callback)(void)) {
  callback();
  return 1;
}
