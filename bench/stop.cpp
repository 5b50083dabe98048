// How long it takes until every thread stands still, and until they are let go again.
//
//     stop [ROUNDS]    a line for each crew: threads, what they do, and in us the median and the
//                      99th percentile of the stop, and of both together; letting go counts by the
//                      processor's time, since those who go on may take the processor at once
//
//   sleeping  in a wrapped call that blocks: they need no signal
//   outside   in one that is not wrapped: each has to be woken up
//   running   in a loop
// First comes what a wrapped call costs more than an indirect one, in ns.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>
#include <vector>

#include "tests/platform/harness.h"

using namespace heaprake::platform;

namespace {

long nothing(long value) {
  return value;
}

double nanoseconds_a_call(bool in_region) {
  constexpr int kCalls = 2000000;
  long (*volatile direct)(long) = nothing;
  double best = 1e9;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const uint64_t start = monotonic_ns();
    for (int i = 0; i < kCalls; ++i) {
      if (in_region) {
        test_region_call(address_of(&nothing), i);
      } else {
        direct(i);
      }
    }
    best = std::min(best, static_cast<double>(monotonic_ns() - start) / kCalls);
  }
  return best;
}

enum class Activity { kSleeping, kOutside, kRunning };
constexpr const char* kNames[] = {"sleeping", "outside", "running"};

// Threads that do the same until it ends.
class Crew {
 public:
  Crew(size_t count, Activity activity) {
    if (pipe(ends_) != 0) std::exit(1);
    for (size_t i = 0; i < count; ++i) threads_.emplace_back([=, this] { work(activity); });
    while (ready_ != count) usleep(1000);
    usleep(20000);
  }
  ~Crew() {
    done_ = true;
    for (size_t i = 0; i < threads_.size(); ++i)
      if (write(ends_[1], "x", 1) != 1) std::exit(1);
    for (auto& thread : threads_) thread.join();
    close(ends_[0]);
    close(ends_[1]);
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

 private:
  void work(Activity activity) {
    ++ready_;
    char byte;
    if (activity == Activity::kSleeping) read_in_region(ends_[0], &byte, 1);
    if (activity == Activity::kOutside && read(ends_[0], &byte, 1) < 0) std::exit(1);
    if (activity == Activity::kRunning)
      while (!done_) __builtin_ia32_pause();
  }

  int ends_[2];
  std::atomic<bool> done_{false};
  std::atomic<size_t> ready_{0};
  std::vector<std::thread> threads_;
};

double own_cpu_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

struct Samples {
  std::vector<double> values;
  double at(size_t percent) const { return values[values.size() * percent / 100]; }
  void sort() { std::sort(values.begin(), values.end()); }
};

void measure(size_t threads, Activity activity, int rounds) {
  const Crew crew(threads, activity);
  Samples stops, both;
  int given_up = 0;
  for (int i = 0; i < rounds; ++i) {
    Stop stop;
    const bool stopped = stop.outcome() == StopOutcome::kStopped;
    const double start = own_cpu_us();
    stop.resume();
    const double resume = own_cpu_us() - start;
    if (stopped) {
      const double us = static_cast<double>(stop.world().stop_ns) / 1000;
      stops.values.push_back(us);
      both.values.push_back(us + resume);
    } else {
      ++given_up;
    }
    usleep(500);
  }
  if (given_up != 0) std::fprintf(stderr, "stop: %d of %d given up\n", given_up, rounds);
  if (stops.values.empty()) return;
  stops.sort();
  both.sort();
  std::printf("%zu %s %.1f %.1f %.1f %.1f\n", threads, kNames[static_cast<int>(activity)],
              stops.at(50), stops.at(99), both.at(50), both.at(99));
}

}  // namespace

int main(int argc, char** argv) {
  start_threads();
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 500;
  std::printf("%.2f\n", nanoseconds_a_call(true) - nanoseconds_a_call(false));
  for (size_t threads : {1, 8, 64, 256, 1000}) measure(threads, Activity::kSleeping, rounds);
  for (size_t threads : {1, 8, 64, 256}) measure(threads, Activity::kOutside, rounds);
  for (size_t threads : {1, 8, 64}) measure(threads, Activity::kRunning, rounds / 5 + 1);
}
