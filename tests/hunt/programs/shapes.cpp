// Loses forty objects at one line, which differ in what belongs to them; and cycles of several
// kinds.
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

struct Address {
  long street = 7;
};

struct Person {
  std::string name;
  std::vector<int> marks;
  std::map<int, int> friends;
  Address* address = nullptr;
};

struct Session;
struct Handler {
  std::shared_ptr<Session> session;
};
struct Session {
  std::string user;
  std::shared_ptr<Handler> handler;
};
struct Timer {
  std::shared_ptr<Timer> next;
};

// Whichever comes first, it is `parent` that had better be weak.
struct Folder;
struct Entry {
  std::shared_ptr<Folder> parent;
  long more[3];
};
struct Folder {
  std::shared_ptr<Entry> entry;
};

__attribute__((noinline)) void lose_folder(bool entry_first) {
  std::shared_ptr<Entry> entry;
  if (entry_first) entry = std::make_shared<Entry>();
  auto folder = std::make_shared<Folder>();
  if (!entry_first) entry = std::make_shared<Entry>();
  entry->parent = folder;
  folder->entry = entry;
}

__attribute__((noinline)) void lose_person(int i) {
  auto* person = new Person;
  person->name.assign(i % 3 == 0 ? 5 : 40, 'n');
  person->marks.resize(static_cast<size_t>(i % 4));
  for (int j = 0; j < i % 5; ++j) person->friends[j] = j;
  if (i % 2 == 0) person->address = new Address;
}

__attribute__((noinline)) void lose_session(int i) {
  auto session = std::make_shared<Session>();
  session->user.assign(i % 2 == 0 ? 5 : 40, 'u');
  session->handler = std::make_shared<Handler>();
  session->handler->session = session;
}

__attribute__((noinline)) void lose_timers() {
  auto timer = std::make_shared<Timer>();
  timer->next = std::make_shared<Timer>();
  timer->next->next = timer;
}

__attribute__((noinline)) void overwrite_stack() {
  volatile char bytes[8192];
  std::memset(const_cast<char*>(bytes), 0, sizeof bytes);
}

}  // namespace

int main() {
  for (int i = 0; i < 40; ++i) lose_person(i);
  for (int i = 0; i < 10; ++i) lose_session(i);
  lose_timers();
  lose_folder(true);
  lose_folder(false);
  overwrite_stack();
  return 0;
}
