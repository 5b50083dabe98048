// What a session does with the signals of the thread that it runs on.
#include "collector/session.h"

#include <gtest/gtest.h>

#include <thread>

#include "../platform/child_process.h"

namespace heaprake {
namespace {

std::atomic<int> handled{0};
volatile bool in_session = false;

// As the shim's entries.
void entry(int signal, siginfo_t* info, void* context) {
  if (platform::defer_signal(signal, info, context)) return;
  CHECK(!in_session);
  ++handled;
}

bool is_pending(int signal) {
  sigset_t pending;
  CHECK(sigpending(&pending) == 0);
  return sigismember(&pending, signal) == 1;
}

// As the stop signal's handler serves a command: it blocks everything, the program nothing.
void serve(int, siginfo_t*, void* context) {
  const bool ran =
      collector::run_session(platform::thread_of_ucontext(context), collector::Wait::kYes, [] {
        in_session = true;
        kill(getpid(), SIGUSR1);
        CHECK(!is_pending(SIGUSR1));
        in_session = false;
      });
  CHECK(ran && handled == 0);
}

void install(int signal, void (*handler)(int, siginfo_t*, void*)) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  sigfillset(&action.sa_mask);
  CHECK(sigaction(signal, &action, nullptr) == 0);
}

TEST(Session, InAHandlerOfOursTakesSignalsThatTheProgramDoesNotBlock) {
  EXPECT_EQ(platform::status_of([] {
              const auto address = reinterpret_cast<uintptr_t>(&entry);
              platform::set_trusted_signal_entries({address, address + 1});
              const platform::SignalMask mask = platform::block_signals();
              std::thread other([] {
                for (;;) pause();
              });
              other.detach();
              platform::restore_signals(mask);
              platform::note_first_thread();
              platform::note_action(SIGUSR1, platform::NewAction::kPlainHandler);
              install(SIGUSR1, entry);
              install(SIGUSR2, serve);
              raise(SIGUSR2);
              CHECK(handled == 1);
            }),
            0);
}

}  // namespace
}  // namespace heaprake
