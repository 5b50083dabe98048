// Does what its standard input says, a word a line, and answers each. A session is what hunts have
// to tell the last holder of.
//   grow    a hundred entries more in the cache, which is never emptied
//   hold    a session, known by a global
//   drop    the global forgets it
//   where   (answers with the address of the cache's first entry)
#include <cstdio>
#include <cstring>
#include <vector>

struct Entry {
  virtual ~Entry() = default;
  char text[92] = {};
};
static_assert(sizeof(Entry) == 104);

struct Session {
  virtual ~Session() = default;
  long number = 7;
  Entry* last = nullptr;
};

std::vector<Entry*> cache;
Session* volatile session;

namespace {

__attribute__((noinline)) void grow_cache() {
  for (int i = 0; i < 100; i++) cache.push_back(new Entry);
}
__attribute__((noinline)) void open_session() {
  session = new Session;
}
__attribute__((noinline)) void wipe_stack() {
  volatile char frame[32768];
  memset(const_cast<char*>(frame), 0, sizeof frame);
  asm volatile("" : : "r"(frame) : "memory");
}

}  // namespace

int main() {
  char word[64];
  while (fgets(word, sizeof word, stdin)) {
    const auto is = [&](const char* name) { return strncmp(word, name, strlen(name)) == 0; };
    if (is("grow")) grow_cache();
    if (is("hold")) open_session();
    if (is("drop")) session = nullptr;
    wipe_stack();
    if (is("where"))
      printf("%p\n", static_cast<void*>(cache[0]));
    else
      puts("done");
    fflush(stdout);
  }
}
