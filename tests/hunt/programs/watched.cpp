// Sessions that are owned by a way of several steps, and seen by weak_ptrs that are nearer. Answers
// the name of a case with the session's address:
//   held       also by a global weak_ptr and a field
//   listed     also by elements of a vector
//   destroyed  its memory is there as long as a weak_ptr
//   cycle      it owns itself, and only weak_ptrs lead there
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

struct Session {
  virtual ~Session() = default;
  std::shared_ptr<Session> itself;
};
struct Registry {
  virtual ~Registry() = default;
  std::weak_ptr<Session> last;
};
struct Link {
  virtual ~Link() = default;
  Link* next = nullptr;
  std::shared_ptr<Session> session;
};

Link* links;
std::weak_ptr<Session> direct;
std::vector<std::weak_ptr<Session>> listed;
Registry* registries[3];

namespace {

char addresses[4][32];

void note(int place, Session* session) {
  snprintf(addresses[place], sizeof addresses[place], "%p", static_cast<void*>(session));
}

__attribute__((noinline)) void fill() {
  for (int i = 0; i < 8; ++i) {
    Link* link = new Link;
    link->next = links;
    links = link;
  }
  Link* last = links;
  while (last->next) last = last->next;
  last->session = std::make_shared<Session>();
  note(0, last->session.get());
  direct = last->session;
  for (auto& registry : registries) registry = new Registry;
  registries[0]->last = last->session;
  std::shared_ptr<Session> apart(new Session);
  links->next->session = apart;
  note(1, apart.get());
  listed.push_back(apart);
  const auto gone = std::make_shared<Session>();
  registries[1]->last = gone;
  note(2, gone.get());
  const auto ring = std::make_shared<Session>();
  ring->itself = ring;
  registries[2]->last = ring;
  note(3, ring.get());
}

__attribute__((noinline)) void wipe_stack() {
  volatile char frame[32768];
  memset(const_cast<char*>(frame), 0, sizeof frame);
  asm volatile("" : : "r"(frame) : "memory");
}

}  // namespace

int main() {
  fill();
  wipe_stack();
  char word[64];
  while (fgets(word, sizeof word, stdin)) {
    const char* const cases[] = {"held\n", "listed\n", "destroyed\n", "cycle\n"};
    for (int i = 0; i < 4; ++i)
      if (strcmp(word, cases[i]) == 0) puts(addresses[i]);
    fflush(stdout);
  }
}
