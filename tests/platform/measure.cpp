// What a region costs, and how long it takes until everybody stands still. Prints a table.
#include <sys/syscall.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "harness.h"

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

enum class Activity { kRegion, kSleep, kSpin };

void measure(size_t threads, Activity activity, int rounds) {
  std::atomic<bool> done{false};
  std::atomic<size_t> ready{0};
  int ends[2];
  if (pipe(ends) != 0) exit(1);
  std::vector<std::thread> crew;
  for (size_t i = 0; i < threads; ++i) {
    crew.emplace_back([&] {
      ++ready;
      char byte;
      if (activity == Activity::kRegion) read_in_region(ends[0], &byte, 1);
      if (activity == Activity::kSleep && read(ends[0], &byte, 1) < 0) exit(1);
      if (activity == Activity::kSpin)
        while (!done) __builtin_ia32_pause();
    });
  }
  while (ready != threads) usleep(1000);
  usleep(20000);
  std::vector<double> times;
  int given_up = 0;
  for (int i = 0; i < rounds; ++i) {
    {
      Stop stop;
      if (stop.outcome() == StopOutcome::kStopped) {
        times.push_back(static_cast<double>(stop.world().stop_ns) / 1000);
      } else {
        ++given_up;
      }
    }
    usleep(500);
  }
  done = true;
  for (size_t i = 0; i < threads; ++i)
    if (write(ends[1], "x", 1) != 1) exit(1);
  for (auto& thread : crew) thread.join();
  close(ends[0]);
  close(ends[1]);
  std::sort(times.begin(), times.end());
  static const char* const names[] = {"in regions", "asleep", "running"};
  if (times.empty()) times.push_back(0);
  printf("%5zu %-11s  median %9.1f us   p99 %9.1f us   given up %d\n", threads,
         names[static_cast<int>(activity)], times[times.size() / 2], times[times.size() * 99 / 100],
         given_up);
}

}  // namespace

int main(int argc, char** argv) {
  start_threads();
  const int rounds = argc > 1 ? atoi(argv[1]) : 500;
  const double plain = nanoseconds_a_call(false), region = nanoseconds_a_call(true);
  printf("region call: %.2f ns over an indirect call (%.2f - %.2f)\n", region - plain, region,
         plain);
  for (size_t threads : {1, 8, 64, 256, 1000}) measure(threads, Activity::kRegion, rounds);
  for (size_t threads : {1, 8, 64, 256}) measure(threads, Activity::kSleep, rounds);
  for (size_t threads : {1, 8, 64}) measure(threads, Activity::kSpin, rounds / 5);
}
