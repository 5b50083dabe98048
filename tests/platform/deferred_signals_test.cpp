// What the main thread does with signals while it cannot run a handler of the program's.
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "child_process.h"
#include "harness.h"
#include "heaprake/protocol.h"
#include "platform/deferred_signals.h"
#include "platform/main_status.h"
#include "platform/sigaction.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

std::vector<int>& values() {
  static std::vector<int> all;
  return all;
}
std::atomic<int> handled_signals{0};

// As the shim's entries.
void entry(int signal, siginfo_t* info, void* context) {
  if (defer_signal(signal, info, context)) return;
  ++handled_signals;
  if (signal >= SIGRTMIN) values().push_back(info->si_value.sival_int);
}

void install(int signal, int flags, bool blocks_itself = false) {
  struct sigaction action {};
  action.sa_sigaction = entry;
  action.sa_flags = SA_SIGINFO | flags;
  if (blocks_itself) sigaddset(&action.sa_mask, signal);
  const bool special = (flags & static_cast<int>(SA_RESETHAND)) != 0 ||
                       ((flags & SA_NODEFER) != 0 && !blocks_itself);
  note_action(signal, special ? NewAction::kSpecialHandler : NewAction::kPlainHandler);
  CHECK(sigaction(signal, &action, nullptr) == 0);
}

bool is_pending(int signal) {
  sigset_t pending;
  CHECK(sigpending(&pending) == 0);
  return sigismember(&pending, signal) == 1;
}

// Whether a thread of this process is in a system call for which it waits.
bool sleeps(int tid) {
  char path[64], text[256] = {};
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
  FILE* file = fopen(path, "r");
  CHECK(file != nullptr);
  CHECK(fread(text, 1, sizeof text - 1, file) != 0);
  fclose(file);
  const char* end_of_name = strrchr(text, ')');
  CHECK(end_of_name != nullptr);
  return end_of_name[2] == 'S';
}

// Body() in a process with another thread, which blocks everything.
template <class F>
int status_of_threaded(F body) {
  return status_of([&] {
    const auto address = reinterpret_cast<uintptr_t>(&entry);
    set_trusted_signal_entries({address, address + 1});
    const SignalMask mask = block_signals();
    std::thread other([] {
      for (;;) pause();
    });
    other.detach();
    restore_signals(mask);
    note_first_thread();
    body();
  });
}

// As a session does.
void run_as_session(FunctionRef<void()> work) {
  const SignalMask mask = block_signals();
  struct Call {
    SignalMask mask;
    FunctionRef<void()>& work;
  } call{mask, work};
  run_on_own_stack(
      [](void* arg) {
        const auto* call = static_cast<const Call*>(arg);
        run_deferring(call->mask, call->work);
      },
      &call);
  restore_signals(mask);
}

TEST(DeferredSignals, ComeWhenTheWorkIsDone) {
  EXPECT_EQ(status_of_threaded([] {
              install(SIGUSR1, 0);
              run_as_session([] {
                CHECK(defers_signals());
                for (int i = 0; i < 3; ++i) kill(getpid(), SIGUSR1);
                CHECK(!is_pending(SIGUSR1));
                CHECK(handled_signals == 0);
              });
              CHECK(!defers_signals());
              CHECK(handled_signals == 1);
            }),
            0);
}

TEST(DeferredSignals, AreThoseThatTheProgramDoesNotBlock) {
  EXPECT_EQ(status_of_threaded([] {
              install(SIGUSR1, 0);
              sigset_t set;
              sigemptyset(&set);
              sigaddset(&set, SIGUSR1);
              sigprocmask(SIG_BLOCK, &set, nullptr);
              run_as_session([] {
                kill(getpid(), SIGUSR1);
                CHECK(is_pending(SIGUSR1));
              });
              CHECK(handled_signals == 0);
            }),
            0);
}

// The kernel would have forgotten the handler of one, and lays out all frames of the other at once.
TEST(DeferredSignals, AreNotThoseWhoseHandlersServeOnceOrNest) {
  EXPECT_EQ(status_of_threaded([] {
              install(SIGUSR1, SA_RESETHAND);
              install(SIGUSR2, 0);
              install(SIGUSR2, SA_NODEFER);
              install(SIGHUP, 0);
              install(SIGTERM, SA_NODEFER, true);  // as Lisp systems do
              run_as_session([] {
                for (int signal : {SIGUSR1, SIGUSR2, SIGHUP, SIGTERM}) kill(getpid(), signal);
                CHECK(is_pending(SIGUSR1));
                CHECK(is_pending(SIGUSR2));
                CHECK(!is_pending(SIGHUP));
                CHECK(!is_pending(SIGTERM));
              });
              CHECK(handled_signals == 4);
            }),
            0);
}

// More than there are places for.
TEST(DeferredSignals, KeepTheirOrderAndTheirValues) {
  EXPECT_EQ(status_of_threaded([] {
              constexpr int kCount = 1000;
              install(SIGRTMIN + 1, 0);
              run_as_session([] {
                for (int i = 0; i < kCount; ++i)
                  CHECK(sigqueue(getpid(), SIGRTMIN + 1, sigval{.sival_int = i}) == 0);
                CHECK(handled_signals == 0);
              });
              CHECK(handled_signals == kCount);
              for (int i = 0; i < kCount; ++i) CHECK(values()[static_cast<size_t>(i)] == i);
            }),
            0);
}

TEST(DeferredSignals, OfAllNumbersFitTheStackAtOnce) {
  EXPECT_EQ(status_of_threaded([] {
              std::vector<int> all{SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGTERM};
              for (int signal = SIGRTMIN + 1; signal <= SIGRTMAX; ++signal) all.push_back(signal);
              for (int signal : all) install(signal, 0);
              run_as_session([&] {
                const SignalMask mask = block_signals();
                for (int signal : all) kill(getpid(), signal);
                restore_signals(mask);  // all frames at once
                for (int signal : all) CHECK(!is_pending(signal));
              });
              CHECK(handled_signals == static_cast<int>(all.size()));
            }),
            0);
}

// A system call that a deferred signal interrupts is made again; any other EINTR is the caller's.
TEST(DeferredSignals, DoNotInterruptCalls) {
  EXPECT_EQ(status_of_threaded([] {
              install(SIGUSR1, 0);
              static int ends[2];
              CHECK(pipe(ends) == 0);
              const int self = getpid();
              char byte = 0;
              std::thread sender;
              const SignalMask mask = block_signals();
              sender = std::thread([self] {
                const uint32_t before = sys::put_off.load();
                while (!sleeps(self)) yield();
                kill(self, SIGUSR1);
                while (sys::put_off.load() == before) yield();
                CHECK(write(ends[1], "x", 1) == 1);
              });
              restore_signals(mask);
              run_as_session([&] { CHECK(sys::call(SYS_read, ends[0], &byte, 1) == 1); });
              sender.join();
              CHECK(byte == 'x' && handled_signals == 1);
            }),
            0);
}

void serve_once(int signal) {
  install(signal, SA_RESETHAND);
}
void ignore(int signal) {
  note_action(signal, NewAction::kNoHandler);
  CHECK(::signal(signal, SIG_IGN) != SIG_ERR);
}

// While the main thread takes SIGUSR1, another one gives it a new action.
void change_while_deferring(void (*change)(int)) {
  static std::atomic<int> changer_id{0};
  static std::atomic<bool> changed{false};
  std::thread changer;
  run_as_session([&] {
    const SignalMask mask = block_signals();
    changer = std::thread([change] {
      changer_id = thread_id();
      change(SIGUSR1);
      changed = true;
    });
    restore_signals(mask);
    while (changer_id == 0 || (!changed && !sleeps(changer_id))) yield();
    CHECK(!changed);
    kill(getpid(), SIGUSR1);
    CHECK(!is_pending(SIGUSR1));
  });
  changer.join();
  CHECK(changed);
}

// Until the signals are sent again nobody changes what becomes of them.
TEST(DeferredSignals, FindTheirHandlerAgain) {
  EXPECT_EQ(status_of_threaded([] {
              install(SIGUSR1, 0);
              change_while_deferring(serve_once);
              CHECK(handled_signals == 1);
              // That may have been the new handler already, which is gone then.
              install(SIGUSR1, SA_RESETHAND);
              run_as_session([] {
                kill(getpid(), SIGUSR1);
                CHECK(is_pending(SIGUSR1));
              });
              CHECK(handled_signals == 2);
            }),
            0);
}

TEST(DeferredSignals, AreSentAgainBeforeTheyAreIgnored) {
  EXPECT_EQ(status_of_threaded([] {
              install(SIGUSR1, 0);
              change_while_deferring(ignore);
              const int before = handled_signals;
              run_as_session([] { kill(getpid(), SIGUSR1); });
              CHECK(handled_signals == before);
            }),
            0);
}

// What the filter may forbid is done before it is installed.
TEST(DeferredSignals, AreSentAgainBeforeAFilterComes) {
  EXPECT_EQ(status_of_threaded([] {
              install(SIGUSR1, 0);
              change_while_deferring([](int) { forbid_deferring(); });
              CHECK(handled_signals == 1);
              run_as_session([] {
                kill(getpid(), SIGUSR1);
                CHECK(is_pending(SIGUSR1));
              });
              CHECK(handled_signals == 2);
            }),
            0);
}

TEST(DeferredSignals, OfTheProcessAreToldFromThoseOfTheThread) {
  EXPECT_EQ(status_of_threaded([] {
              const SignalMask mask = block_signals();
              kill(getpid(), SIGUSR1);
              pthread_kill(pthread_self(), SIGUSR2);
              MainStatus status;
              CHECK(read_main_status(&status));
              CHECK(status.is_able && status.pending == signal_bit(SIGUSR1));
              CHECK((~status.blocked & signal_bit(SIGHUP)) == 0);
              sigset_t set;
              sigemptyset(&set);
              for (int signal : {SIGUSR1, SIGUSR2}) sigaddset(&set, signal);
              int taken = 0;
              for (int i = 0; i < 2; ++i) CHECK(sigwait(&set, &taken) == 0);
              restore_signals(mask);
              CHECK(read_main_status(&status) && status.blocked == mask.bits);
            }),
            0);
}

void queue_request() {
  siginfo_t info{};
  info.si_code = SI_QUEUE;
  info.si_value.sival_ptr = reinterpret_cast<void*>(uint64_t{HEAPRAKE_COOKIE_TAG} << 48);
  CHECK(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), HEAPRAKE_SIGNAL, &info) == 0);
}

// A command's request comes while the main thread waits and the world stands still.
TEST(DeferredSignals, ComeAfterARequestThatHadToWait) {
  EXPECT_EQ(status_of_threaded([] {
              static std::atomic<int> served{0};
              static int ends[2];
              CHECK(pipe(ends) == 0);
              install(SIGUSR1, SA_RESTART);
              install_stop_signal();
              set_request_handler([](uint64_t, const void*, bool) { ++served; });
              std::thread stopper([] {
                while (!sleeps(getpid())) yield();
                Stop stop;
                CHECK(stop.outcome() == StopOutcome::kStopped);
                queue_request();
                MainStatus main;
                do CHECK(read_main_status(&main));
                while ((main.blocked & signal_bit(SIGHUP)) == 0 ||
                       (main.blocked & signal_bit(SIGUSR1)) != 0);
                kill(getpid(), SIGUSR1);
                while (is_pending(SIGUSR1)) yield();
                CHECK(handled_signals == 0 && served == 0);
                stop.resume();
                CHECK(write(ends[1], "x", 1) == 1);
              });
              char byte = 0;
              CHECK(read_in_region(ends[0], &byte, 1) == 1);
              stopper.join();
              CHECK(handled_signals == 1 && served == 1);
            }),
            0);
}

}  // namespace
}  // namespace heaprake::platform
