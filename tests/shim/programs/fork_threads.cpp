// Forks again and again while other threads allocate; each child allocates, forks once itself, and
// goes through exit. A lock of the heap left held in a child would make it hang.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

std::atomic<bool> stop{false};

void churn(int rounds) {
  std::vector<char*> blocks;
  for (int i = 0; (rounds == 0 && !stop) || i < rounds; ++i) {
    size_t size = 16 + i * 37 % 3000;
    if (i % 997 == 0) size = 1 << 20;
    char* p = static_cast<char*>(std::malloc(size));
    std::memset(p, i, 16);
    blocks.push_back(p);
    if (blocks.size() == 64) {
      for (size_t j = 1; j < blocks.size(); ++j) std::free(blocks[j]);  // the first is lost
      blocks.clear();
    }
  }
}

bool child_is_well(pid_t pid) {
  int status = 0;
  return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

[[noreturn]] void child() {
  std::thread(churn, 2000).join();
  pid_t grandchild = fork();
  churn(2000);
  if (grandchild == 0) std::_Exit(0);
  std::_Exit(child_is_well(grandchild) ? 0 : 1);
}

}  // namespace

int main() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back(churn, 0);
  int well = 0;
  for (int i = 0; i < 8; ++i) {
    pid_t pid = fork();
    if (pid == 0) child();
    well += child_is_well(pid);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  std::printf("%d children well\n", well);
}
