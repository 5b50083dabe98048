#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "platform/platform.h"

namespace heaprake::platform {
namespace {

uintptr_t address(const void* p) {
  return reinterpret_cast<uintptr_t>(p);
}

TEST(Process, Identity) {
  EXPECT_EQ(process_id(), getpid());
  EXPECT_EQ(thread_id(), static_cast<int>(syscall(SYS_gettid)));
  EXPECT_EQ(processor_count(), std::thread::hardware_concurrency());
  const uint64_t before = monotonic_ns();
  EXPECT_GE(monotonic_ns(), before);
}

TEST(Process, SignalsAreBlockedAndRestored) {
  const SignalMask mask = block_signals();
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, nullptr, &now);
  EXPECT_EQ(sigismember(&now, SIGTERM), 1);
  restore_signals(mask);
  pthread_sigmask(SIG_SETMASK, nullptr, &now);
  EXPECT_EQ(sigismember(&now, SIGTERM), 0);
}

TEST(Process, ErrnoIsLeftAlone) {
  errno = 4711;
  release(map(4096), 4096);
  EXPECT_EQ(reserve(size_t{1} << 62, 4096, 0), nullptr);
  EXPECT_EQ(open_for_writing("/nonexistent/x"), -1);
  close_file(-1);
  EXPECT_EQ(connect_to_command(1), -1);
  EXPECT_EQ(errno, 4711);
}

TEST(Mutex, ExcludesAndKnowsItsOwner) {
  Mutex mutex;
  long counter = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20000; ++i) {
        mutex.lock();
        if (!mutex.held_by_me()) ++wrong;
        ++counter;
        mutex.unlock();
        if (mutex.held_by_me()) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(counter, 80000);
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_TRUE(mutex.try_lock());
  EXPECT_FALSE(mutex.try_lock());
  std::thread([&] {
    EXPECT_FALSE(mutex.held_by_me());
    EXPECT_FALSE(mutex.try_lock());
    mutex.reset_after_fork();
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();
  }).join();
}

std::string read_back(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<size_t>(got));
  return text;
}

TEST(Output, WritesEverythingToASlowNonBlockingPipe) {
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  fcntl(pipe_ends[1], F_SETFL, O_NONBLOCK);
  const std::string text(1 << 20, 'q');
  std::string got;
  std::thread reader([&] { got = read_back(pipe_ends[0]); });
  write_all(pipe_ends[1], text.data(), text.size());
  close(pipe_ends[1]);
  reader.join();
  close(pipe_ends[0]);
  EXPECT_TRUE(got == text) << got.size();
}

std::atomic<int> broken_pipes{0};

TEST(Output, AFileThatMayNotGrowRaisesNoSignal) {
  FILE* file = tmpfile();
  ASSERT_NE(file, nullptr);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit none{0, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &none);
  write_all(fileno(file), "x", 1);  // SIGXFSZ would end the test
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(lseek(fileno(file), 0, SEEK_END), 0);
  fclose(file);
}

TEST(Output, ABrokenPipeRaisesNoSignal) {
  struct sigaction action {};
  struct sigaction old;
  action.sa_handler = [](int) { ++broken_pipes; };
  sigaction(SIGPIPE, &action, &old);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  close(ends[0]);
  write_all(ends[1], "x", 1);
  EXPECT_EQ(broken_pipes.load(), 0);
  // One that the program has pending is not taken away.
  sigset_t pipe_only, before;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
  raise(SIGPIPE);
  write_all(ends[1], "x", 1);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(broken_pipes.load(), 1);
  sigaction(SIGPIPE, &old, nullptr);
  close(ends[1]);
}

TEST(Output, FileIsMadeAndTruncated) {
  const std::string path = testing::TempDir() + "heaprake_output";
  for (const char* text : {"long text", "short"}) {
    const int fd = open_for_writing(path.c_str());
    ASSERT_GE(fd, 0);
    EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    write_all(fd, text, std::strlen(text));
    close_file(fd);
  }
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(read_back(fd), "short");
  close(fd);
  unlink(path.c_str());
}

TEST(Output, NothingIsWrittenThroughALinkOrIntoWhatOthersCanChange) {
  namespace fs = std::filesystem;
  const fs::path directory = fs::path(testing::TempDir()) / "heaprake_own";
  const fs::path file = directory / "file", other = directory / "other";
  fs::remove_all(directory);
  int error = -1;
  EXPECT_EQ(open_in_own_directory(file.c_str(), false, &error), -1);
  EXPECT_EQ(error, ENOENT);
  ASSERT_EQ(mkdir(directory.c_str(), 0700), 0);
  for (const bool fresh : {true, false}) {
    const int fd = open_in_own_directory(file.c_str(), fresh, &error);
    ASSERT_GE(fd, 0);
    close_file(fd);
  }
  EXPECT_EQ(open_in_own_directory(file.c_str(), true, &error), -1);
  EXPECT_EQ(error, EEXIST);
  fs::create_symlink(file, other);
  EXPECT_EQ(open_in_own_directory(other.c_str(), false, &error), -1);
  EXPECT_EQ(error, ELOOP);
  chmod(directory.c_str(), 0777);
  EXPECT_EQ(open_in_own_directory(file.c_str(), false, &error), -1);
  EXPECT_EQ(error, ENOENT);
  chmod(directory.c_str(), 0700);
  if (geteuid() == 0) {
    ASSERT_EQ(chown(directory.c_str(), 65534, 65534), 0);
    EXPECT_EQ(open_in_own_directory(file.c_str(), false, &error), -1);
    EXPECT_EQ(error, ENOENT);
  }
  fs::remove_all(directory);
}

TEST(Output, AbortEndsTheProcessWhateverTheProgramInstalled) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGABRT, [](int) { _exit(3); });
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
    abort_process();
  }
  int status;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGABRT);
}

TEST(CommandSocket, ConnectsToTheNameInTheCookie) {
  constexpr uint64_t kCookie = 0x4852ull << 48 | 0x00ab54a98ceb1full;
  const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un name {};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path + 1, "heaprake-ab54a98ceb1f", 21);
  ASSERT_EQ(bind(server, reinterpret_cast<struct sockaddr*>(&name), sizeof(sa_family_t) + 22), 0);
  ASSERT_EQ(listen(server, 1), 0);
  const int client = connect_to_command(kCookie);
  ASSERT_GE(client, 0);
  const int peer = accept(server, nullptr, nullptr);
  ASSERT_EQ(write(peer, "hello", 5), 5);
  char text[6] = {};
  EXPECT_TRUE(read_all(client, text, 5));
  EXPECT_STREQ(text, "hello");
  close(peer);
  EXPECT_FALSE(read_all(client, text, 1));
  close_file(client);
  close(server);
  EXPECT_EQ(connect_to_command(kCookie), -1);
}

TEST(Stacks, ContextHasTheCallersRegisters) {
  struct Seen {
    CallContext context;
    uintptr_t stack;
  } seen{};
  heaprake_with_context(
      [](const CallContext* context, void* to) {
        static_cast<Seen*>(to)->context = *context;
        static_cast<Seen*>(to)->stack = address(__builtin_frame_address(0));
      },
      &seen);
  EXPECT_GT(seen.context.sp, seen.stack);
  EXPECT_LT(seen.context.sp - seen.stack, 4096u);
  const StoppedThread thread = thread_of_call(seen.context);
  EXPECT_EQ(thread.tid, thread_id());
  EXPECT_EQ(thread.sp, seen.context.sp);
  EXPECT_EQ(thread.tcb, address(__builtin_thread_pointer()));
  EXPECT_EQ(thread.registers.size(), 6 * sizeof(uintptr_t));
}

TEST(Stacks, OwnStackIsLargeAndOurs) {
  struct Seen {
    int calls = 0;
    uintptr_t stack = 0;
  } seen;
  for (int i = 0; i < 3; ++i) {
    run_on_own_stack(
        [](void* to) {
          volatile char large[200 * 1024];
          large[0] = 1;
          large[sizeof large - 1] = 1;
          static_cast<Seen*>(to)->calls++;
          static_cast<Seen*>(to)->stack = address(__builtin_frame_address(0));
        },
        &seen);
  }
  EXPECT_EQ(seen.calls, 3);
  AddressSpace space;
  ASSERT_TRUE(space.open());
  bool shown = false;
  space.for_each_mapping([&](const Mapping& m) {
    shown |= m.range.contains(seen.stack);
    return true;
  });
  space.close();
  EXPECT_FALSE(shown);
}

struct Sum {
  std::atomic<uint64_t> total{0};
  std::atomic<unsigned> indices{0};
  std::atomic<int> tids[8] = {};
};

void add_share(void* arg, unsigned index) {
  auto* sum = static_cast<Sum*>(arg);
  for (uint64_t i = index; i < 100000; i += 4) sum->total += i;
  sum->indices |= 1u << index;
  sum->tids[index] = thread_id();
}

TEST(Parallel, EachShareIsDoneByItsOwnThread) {
  for (int round = 0; round < 50; ++round) {
    Sum sum;
    const SignalMask mask = block_signals();
    const unsigned took_part = run_parallel(4, add_share, &sum);
    restore_signals(mask);
    ASSERT_EQ(took_part, 4u);
    EXPECT_EQ(sum.total.load(), 4999950000u);
    EXPECT_EQ(sum.indices.load(), 15u);
    EXPECT_EQ(sum.tids[0].load(), thread_id());
    EXPECT_NE(sum.tids[1].load(), sum.tids[2].load());
  }
}

TEST(Parallel, LeavesASingleThreadBehind) {
  const pid_t child = fork();
  if (child == 0) {
    Sum sum;
    const SignalMask mask = block_signals();
    run_parallel(4, add_share, &sum);
    // CLONE_SIGHAND-like state is only unshared by a process of one thread.
    const bool single = syscall(SYS_unshare, CLONE_SIGHAND | CLONE_VM) == 0;
    restore_signals(mask);
    _exit(single ? 0 : 1);
  }
  int status;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Parallel, OneIsTheCallerAlone) {
  Sum sum;
  EXPECT_EQ(run_parallel(1, add_share, &sum), 1u);
  EXPECT_EQ(sum.indices.load(), 1u);
}

}  // namespace
}  // namespace heaprake::platform
