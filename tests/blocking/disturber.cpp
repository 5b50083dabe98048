#include "tests/blocking/disturber.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>

#include "heaprake/gc.h"

namespace {

using namespace std::chrono_literals;

struct Library {
  decltype(&gc_collect) collect = nullptr;
  decltype(&gc_get_stats) stats = nullptr;
  Library() {
    collect = reinterpret_cast<decltype(collect)>(dlsym(RTLD_DEFAULT, "heaprake_collect"));
    stats = reinterpret_cast<decltype(stats)>(dlsym(RTLD_DEFAULT, "heaprake_get_stats"));
  }
};

const Library& library() {
  static const Library found;
  return found;
}

uint64_t completed() {
  gc_stats now{};
  library().stats(&now);
  return now.collections;
}

}  // namespace

bool preloaded() {
  return library().collect != nullptr;
}

bool collect() {
  if (!preloaded()) return false;
  const uint64_t before = completed();
  library().collect();
  return completed() > before;
}

bool collect_at_last() {
  for (int tries = 0; tries < 50; ++tries) {
    if (collect()) return true;
  }
  return false;
}

Disturber::Disturber() {
  thread_ = std::thread([this] {
    while (!done_) {
      // A pause lets the others do something between the stops.
      std::this_thread::sleep_for(preloaded() ? 200us : 2ms);
      if (!preloaded() || collect()) ++stops_;
      ++tries_;
    }
  });
}

Disturber::~Disturber() {
  done_ = true;
  thread_.join();
}

void Disturber::await(uint64_t count) const {
  const uint64_t enough = stops() + count;
  while (stops() < enough) std::this_thread::sleep_for(1ms);
}

void Disturber::await_tries(uint64_t count) const {
  const uint64_t enough = tries_ + count;
  while (tries_ < enough) std::this_thread::sleep_for(1ms);
}

void install_raw_handler_if_wanted() {
  const char* wanted = std::getenv("HEAPRAKE_TEST_RAW_HANDLER");
  if (!wanted || std::strcmp(wanted, "1") != 0) return;
  struct {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    unsigned long mask;
  } action{[](int) {}, 0x04000000, [] {}, 0};
  if (syscall(SYS_rt_sigaction, SIGUSR2, &action, nullptr, 8) != 0) std::abort();
}
