#include "cli/leftover.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "cli/failure.h"

namespace heaprake::cli {

namespace {

// A fault's core file shows the command as it was; what is left in /tmp then belongs to that.
constexpr int kFaults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
constexpr int kHarmless[] = {SIGCHLD, SIGCONT, SIGURG,  SIGWINCH,
                             SIGTSTP, SIGTTIN, SIGTTOU, SIGSTOP};

// The real-time signals and all others that end a process.
sigset_t ending_signals() {
  sigset_t set;
  sigfillset(&set);
  for (int signal : kFaults) sigdelset(&set, signal);
  for (int signal : kHarmless) sigdelset(&set, signal);
  return set;
}

// The rest of this namespace, but for Leftovers itself, makes system calls only: it runs in a
// signal handler.

// Once through the directory; what was removed may make the next look see more.
void remove_files(int directory) {
  alignas(dirent64) char entries[4096];
  for (long got; (got = syscall(SYS_getdents64, directory, entries, sizeof entries)) > 0;) {
    for (long at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const dirent64*>(entries + at);
      unlinkat(directory, entry->d_name, 0);
      at += entry->d_reclen;
    }
  }
}

void remove_path(const char* path) {
  constexpr int kRounds = 10;  // other processes may write into it meanwhile
  if (unlink(path) == 0 || errno != EISDIR) return;
  for (int round = 0; round < kRounds && rmdir(path) != 0 && errno == ENOTEMPTY; ++round) {
    const int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0) return;
    remove_files(directory);
    close(directory);
  }
}

}  // namespace

// The list of all, changed with its lock held and signals blocked: a handler that finds the lock
// taken waits for another thread, never for what it has interrupted.
class Leftovers {
 public:
  Leftovers() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
    lock();
  }
  ~Leftovers() {
    locked.clear(std::memory_order_release);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Leftovers(const Leftovers&) = delete;
  Leftovers& operator=(const Leftovers&) = delete;

  void add(Leftover* leftover) {
    leftover->next_ = first;
    first = leftover;
  }
  void forget(Leftover* leftover) {
    Leftover** link = &first;
    while (*link && *link != leftover) link = &(*link)->next_;
    if (*link) *link = leftover->next_;
  }

  void have_signals_remove_them() {
    if (owner == getpid()) return;
    owner = getpid();
    first = nullptr;  // in a forked child: those are its parent's
    // What has its default action is not even delivered to the first process of a namespace.
    if (owner == 1) return;
    const sigset_t ending = ending_signals();
    struct sigaction action {};
    action.sa_handler = end_by;
    sigfillset(&action.sa_mask);
    for (int signal = 1; signal < NSIG; ++signal) {
      struct sigaction now {};
      if (sigismember(&ending, signal) != 1 || sigaction(signal, nullptr, &now) != 0) continue;
      if (now.sa_handler == SIG_DFL) sigaction(signal, &action, nullptr);
    }
  }

 private:
  static void lock() {
    while (locked.test_and_set(std::memory_order_acquire)) {
    }
  }

  // The lock is never given back: whoever wants to add something waits for the process's end. A
  // forked child, which has the handlers until it becomes another program, removes nothing.
  static void end_by(int signal) {
    if (getpid() == owner) {
      lock();
      for (const Leftover* leftover = first; leftover; leftover = leftover->next_)
        remove_path(leftover->path_.c_str());
    }
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    sigaction(signal, &standard, nullptr);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, signal);
    raise(signal);
    pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
    _exit(kExitSignalBase + signal);
  }

  static constinit std::atomic_flag locked;
  static constinit Leftover* first;
  static constinit std::atomic<pid_t>
      owner;  // the process whose they are; 0: the handlers are not there yet
  sigset_t before_;
};

constinit std::atomic_flag Leftovers::locked;
constinit Leftover* Leftovers::first = nullptr;
constinit std::atomic<pid_t> Leftovers::owner = 0;

Leftover::Leftover(const std::function<std::string()>& make) : next_(nullptr) {
  Leftovers all;
  all.have_signals_remove_them();
  path_ = make();
  all.add(this);
}

Leftover::~Leftover() {
  Leftovers().forget(this);
}

}  // namespace heaprake::cli
