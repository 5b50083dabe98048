#include "cli/supervise.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "cli/failure.h"

namespace heaprake::cli {

namespace {

constexpr int kPassedOn[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGUSR1,
                             SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH};

// Blocks what supervise waits for, and has SIGCHLD work even if we were started with it ignored.
class Signals {
 public:
  Signals() {
    sigemptyset(&waited_);
    for (int signal : kPassedOn) sigaddset(&waited_, signal);
    sigaddset(&waited_, SIGCHLD);
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
  int ignored;
  const bool runs_again =
      waitpid(pid, &ignored, WNOHANG | WCONTINUED) == pid && WIFCONTINUED(ignored);
  if (!runs_again) kill(pid, SIGCONT);
  return false;
}

}  // namespace

Ending supervise(const Launch& launch, const std::function<void(pid_t)>& started) {
  const Signals signals;
  Ending ending{start(launch, signals), 0};
  if (started) started(ending.pid);
  while (true) {
    const siginfo_t info = signals.wait();
    if (info.si_signo == SIGCHLD) {
      if (child_changed(ending.pid, &ending.wait_status)) return ending;
    } else if (info.si_code <= 0 && info.si_pid != ending.pid) {
      // Sent by a process, not by the terminal, and not by the program to its whole group.
      kill(ending.pid, info.si_signo);
    }
  }
}

int exit_status_of(const Ending& ending) {
  if (WIFSIGNALED(ending.wait_status)) return kExitSignalBase + WTERMSIG(ending.wait_status);
  return WEXITSTATUS(ending.wait_status);
}

}  // namespace heaprake::cli
