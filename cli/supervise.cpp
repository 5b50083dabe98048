#include "cli/supervise.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>

#include "cli/failure.h"

namespace heaprake::cli {

namespace {

// What the kernel sends to us in the program's stead, apart from real-time signals: those of timers
// and descriptors that whoever started us had set up, and that would have been the program's.
constexpr int kOfTimersAndDescriptors[] = {SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGURG};

// Blocks all signals, so that each is waited for, and has SIGCHLD work even if we were started with
// it ignored. A fault of our own kills us nevertheless: the kernel does not wait with that.
class Signals {
 public:
  Signals() {
    sigfillset(&waited_);
    sigprocmask(SIG_BLOCK, &waited_, &mask_before_);
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &standard, &child_before_);
  }
  ~Signals() { restore(); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  void restore() const {
    sigaction(SIGCHLD, &child_before_, nullptr);
    sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
  }

  siginfo_t wait() const {
    siginfo_t info;
    while (sigwaitinfo(&waited_, &info) < 0) {
    }
    return info;
  }

  // One that waits already, of these; false if there is none.
  static bool take_pending(const sigset_t& which) {
    const timespec at_once{};
    return sigtimedwait(&which, nullptr, &at_once) > 0;
  }
  // Those that came while the program lived were its own, and shall not end us now.
  void forget_pending() const {
    while (take_pending(waited_)) {
    }
  }

 private:
  sigset_t waited_, mask_before_;
  struct sigaction child_before_ {};
};

// Starts the program. The pipe closes when exec succeeds, and carries errno when it does not.
pid_t start(const Launch& launch, const Signals& signals) {
  const Exec exec(launch);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    throw Failure(kExitFailure, std::string("cannot make a pipe: ") + std::strerror(errno));
  const pid_t pid = fork();
  if (pid == 0) {
    signals.restore();
    const int error = exec();
    if (write(ends[1], &error, sizeof error) < 0) _exit(kExitFailure);
    _exit(kExitNotFound);
  }
  const int fork_error = errno;
  close(ends[1]);
  int error = 0;
  ssize_t got = 0;
  if (pid > 0) {
    do got = read(ends[0], &error, sizeof error);
    while (got < 0 && errno == EINTR);
  }
  close(ends[0]);
  if (pid < 0)
    throw Failure(kExitFailure,
                  std::string("cannot start a process: ") + std::strerror(fork_error));
  if (got == sizeof error) {
    waitpid(pid, nullptr, 0);
    throw_exec_failure(launch, error);
  }
  return pid;
}

bool is_job_control_stop(int signal) {
  return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

// True when the program has ended.
bool child_changed(pid_t pid, int* wait_status) {
  const pid_t changed = waitpid(pid, wait_status, WNOHANG | WUNTRACED);
  if (changed != pid) return false;
  if (!WIFSTOPPED(*wait_status)) return true;
  // Whoever stopped it with SIGSTOP will also continue it.
  if (!is_job_control_stop(WSTOPSIG(*wait_status))) return false;
  kill(getpid(), SIGSTOP);
  // What continues us is not passed on, but done to the program below.
  sigset_t continued;
  sigemptyset(&continued);
  sigaddset(&continued, SIGCONT);
  Signals::take_pending(continued);
  int ignored;
  const bool runs_again =
      waitpid(pid, &ignored, WNOHANG | WCONTINUED) == pid && WIFCONTINUED(ignored);
  if (!runs_again) kill(pid, SIGCONT);
  return false;
}

bool is_for_program(const siginfo_t& info, pid_t program) {
  // By the program: to its whole group. By ourselves: by writing to a pipe that nobody reads.
  if (info.si_code <= 0) return info.si_pid != program && info.si_pid != getpid();
  // By the kernel: what the terminal sends reaches the program as well, and SIGCHLD is for us.
  return info.si_signo >= SIGRTMIN ||
         std::find(std::begin(kOfTimersAndDescriptors), std::end(kOfTimersAndDescriptors),
                   info.si_signo) != std::end(kOfTimersAndDescriptors);
}

// With the value and the sender that it came with, if it has a value. kill also works where the
// queue is full.
void pass_on(siginfo_t info, pid_t program) {
  if (info.si_code < 0 && info.si_code != SI_TKILL &&
      syscall(SYS_rt_sigqueueinfo, program, info.si_signo, &info) == 0)
    return;
  kill(program, info.si_signo);
}

}  // namespace

Ending supervise(const Launch& launch, const std::function<void(pid_t)>& started) {
  const Signals signals;
  Ending ending{start(launch, signals), 0};
  if (started) started(ending.pid);
  while (true) {
    const siginfo_t info = signals.wait();
    if (info.si_signo == SIGCHLD && child_changed(ending.pid, &ending.wait_status)) break;
    if (is_for_program(info, ending.pid)) pass_on(info, ending.pid);
  }
  signals.forget_pending();
  return ending;
}

int exit_status_of(const Ending& ending) {
  if (WIFSIGNALED(ending.wait_status)) return kExitSignalBase + WTERMSIG(ending.wait_status);
  return WEXITSTATUS(ending.wait_status);
}

}  // namespace heaprake::cli
