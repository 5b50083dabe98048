// Takes every signal that can be taken, and prints a line for each: its number and the value that
// came with it. SIGTERM with a value ends it, and makes that its exit status.
#include <csignal>
#include <cstdio>

int main() {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, nullptr);
  std::puts("ready");
  std::fflush(stdout);
  while (true) {
    siginfo_t info;
    if (sigwaitinfo(&all, &info) < 0) continue;
    const int value = info.si_code == SI_QUEUE ? info.si_value.sival_int : 0;
    if (info.si_signo == SIGTERM && value != 0) return value;
    std::printf("%d %d\n", info.si_signo, value);
    std::fflush(stdout);
  }
}
