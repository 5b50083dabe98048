#include "collector/passed_epolls.h"

#include "collector/carried.h"
#include "collector/collector.h"
#include "collector/cycle.h"
#include "collector/epolls.h"
#include "collector/session.h"

namespace heaprake::collector {

namespace {

void keep_words(int fd) {
  const uint64_t early = heaprake_early_receipts.load(std::memory_order_relaxed);
  const bool whole = epolls.for_each_word(fd, [&](uintptr_t word) {
    carried.add(word, kPassedEpolls, early);
    return true;
  });
  if (!whole) tell(Event::kWarning, "an epoll's registrations could not be read when it was sent");
}

// Reading takes a descriptor for a moment, which other threads should not notice; if they cannot be
// stopped, that is the lesser evil.
void keep_words_unnoticed(int fd, const platform::StoppedThread& self) {
  platform::World world;
  const bool stopped = platform::stop_world(self, &world) == platform::StopOutcome::kStopped;
  keep_words(fd);
  if (stopped) platform::resume_world();
}

}  // namespace

void keep_passed_epolls(const int* fds, size_t count, const platform::StoppedThread& self) {
  if (state.options.mode == Mode::kOff || !epolls.any()) return;
  for (size_t i = 0; i < count; ++i) {
    if (!platform::is_epoll(fds[i])) continue;
    run_session(self, Wait::kYes, [&] { keep_words_unnoticed(fds[i], self); });
  }
}

}  // namespace heaprake::collector
