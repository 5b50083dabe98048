// The stress test: threads build, mutate, check, pass on and drop graphs, while another collects at
// least every ten milliseconds. Every node is checked over and over; one that was taken away too
// early shows as lost content.
//
//   stress [SECONDS [THREADS [MEBIBYTES]]]      default 5 s, 8 threads; ends early when that much
//                                               was allocated in all (0: no limit), since some
//                                               modes never give memory back
//
// Exit status 0: nothing was wrong, by our own checks, the oracle's and the verifier's.
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "heaprake/gc.h"
#include "tests/stress/graph.h"

namespace {

using stress::Node;
using stress::Random;
using stress::Tally;

// Few enough that a collection takes a few milliseconds: what counts is how many there are.
constexpr size_t kSlots = 3;  // graphs that a thread holds in each kind of place
constexpr size_t kMailboxes = 16;
constexpr size_t kMaxNodes = 500;

std::atomic<bool> stop{false};
std::atomic<uint64_t> bytes_allocated{0};
std::atomic<uint64_t> bytes_allowed{0};  // grows as time passes
std::mutex tally_lock;
Tally total;

// Graphs on their way between threads. Taken by exchange: a graph has one owner at a time.
std::array<std::atomic<Node*>, kMailboxes> mailboxes;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "stress: FAILED: %s\n", what);
  std::abort();
}

// The places that hold a thread's graphs: one array of slots for each kind of root.
class Places {
 public:
  Places(Node** on_stack, pthread_key_t key) : key_(key) {
    kinds_[0] = on_stack;
    thread_local std::array<Node*, kSlots> in_tls;
    kinds_[1] = in_tls.data();
    kinds_[2] = static_cast<Node**>(std::calloc(kSlots, sizeof(Node*)));
    arena_ = mmap(nullptr, kArena, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (arena_ == MAP_FAILED || kinds_[2] == nullptr) fail("out of memory");
    kinds_[3] = static_cast<Node**>(arena_) + 1000;
    // A block that only pthread_getspecific leads to.
    if (pthread_setspecific(key_, std::calloc(kSlots, sizeof(Node*))) != 0) fail("no TSD");
  }
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;
  ~Places() {
    munmap(arena_, kArena);
    std::free(kinds_[2]);
    std::free(pthread_getspecific(key_));
    pthread_setspecific(key_, nullptr);
  }

  Node*& pick(Random& random) {
    const size_t kind = random.below(kinds_.size() + 1);
    Node** slots =
        kind == kinds_.size() ? static_cast<Node**>(pthread_getspecific(key_)) : kinds_[kind];
    return slots[random.below(kSlots)];
  }

 private:
  static constexpr size_t kArena = 1 << 20;
  pthread_key_t key_;
  void* arena_;
  std::array<Node**, 4> kinds_;
};

void* build_in_short_thread(void* seed) {
  Random random(reinterpret_cast<uintptr_t>(seed));
  Tally tally;
  Node* root = stress::build(1 + random.below(60), random, tally);
  const std::lock_guard<std::mutex> guard(tally_lock);
  total.add(tally);
  return root;  // the dead thread's descriptor is its only root until it is joined
}

Node* build_by_thread(Random& random, Tally& tally) {
  pthread_t thread;
  auto* seed = reinterpret_cast<void*>(static_cast<uintptr_t>(random.next() >> 8));
  if (pthread_create(&thread, nullptr, build_in_short_thread, seed) != 0) return nullptr;
  ++tally.threads_started;
  if (random.one_in(2)) std::this_thread::yield();
  void* root = nullptr;
  pthread_join(thread, &root);
  return static_cast<Node*>(root);
}

// Stops must not be noticed: a blocking call ends when its time has come, and not before.
void block_a_little() {
  const timespec wait{0, 200'000};
  timespec rest{0, 0};
  if (nanosleep(&wait, &rest) != 0) fail("nanosleep was interrupted");
  if (poll(nullptr, 0, 1) != 0) fail("poll was interrupted");
}

void pass_on(Node*& slot, Random& random, Tally& tally) {
  auto& mailbox = mailboxes[random.below(kMailboxes)];
  slot = mailbox.exchange(slot);
  ++tally.graphs_passed;
}

void step(Places& places, Random& random, Tally& tally) {
  Node*& slot = places.pick(random);
  if (slot == nullptr) {
    slot = random.one_in(200) ? build_by_thread(random, tally)
                              : stress::build(1 + random.below(80), random, tally);
    return;
  }
  switch (random.below(16)) {
    case 0:
      slot = nullptr;
      ++tally.graphs_dropped;
      break;
    case 1:
    case 2:
      pass_on(slot, random, tally);
      break;
    case 3:
    case 4:
    case 5:
      if (stress::check(slot, random, tally) > kMaxNodes) slot = nullptr;
      break;
    case 6:
      if (random.one_in(20)) block_a_little();
      break;
    default:
      stress::mutate(slot, random, tally);
      break;
  }
}

void work(uint64_t seed, pthread_key_t key) {
  Random random(seed);
  Tally tally;
  std::array<Node*, kSlots> on_stack{};
  {
    Places places(on_stack.data(), key);
    uint64_t reported = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      if (bytes_allocated.load(std::memory_order_relaxed) >
          bytes_allowed.load(std::memory_order_relaxed)) {
        block_a_little();
        continue;
      }
      for (int i = 0; i < 64; ++i) step(places, random, tally);
      bytes_allocated.fetch_add(tally.bytes_built - reported, std::memory_order_relaxed);
      reported = tally.bytes_built;
    }
    // The last word: everything that is still held is whole.
    for (size_t i = 0; i < 16 * kSlots; ++i) {
      Node* root = places.pick(random);
      if (root != nullptr) stress::check(root, random, tally);
    }
  }
  const std::lock_guard<std::mutex> guard(tally_lock);
  total.add(tally);
}

void collect_for(std::chrono::seconds duration, uint64_t byte_limit) {
  using namespace std::chrono_literals;
  const auto start = std::chrono::steady_clock::now();
  for (auto now = start; now < start + duration; now = std::chrono::steady_clock::now()) {
    if (byte_limit != 0) {
      const std::chrono::duration<double> passed = now - start;
      const double share = passed / std::chrono::duration<double>(duration);
      bytes_allowed = static_cast<uint64_t>(static_cast<double>(byte_limit) * share);
    }
    gc_collect();
    std::this_thread::sleep_until(now + 5ms);
  }
}

int report() {
  gc_stats stats;
  gc_get_stats(&stats);
  std::printf("stress: %" PRIu64 " nodes built (%" PRIu64 " MiB), %" PRIu64 " checked, %" PRIu64
              " graphs dropped, %" PRIu64 " passed, %" PRIu64 " threads started\n",
              total.nodes_built, total.bytes_built >> 20, total.nodes_checked, total.graphs_dropped,
              total.graphs_passed, total.threads_started);
  std::printf("stress: %" PRIu64 " collections, %" PRIu64 " given up, %" PRIu64 " blocks (%" PRIu64
              " MiB) reclaimed, %" PRIu64 " oracle mistakes, %" PRIu64 " verifier misses, %" PRIu64
              " misuses, longest pause %.1f ms\n",
              stats.collections, stats.given_up, stats.collected, stats.collected_bytes >> 20,
              stats.mistakes, stats.verifier_misses, stats.misuses,
              static_cast<double>(stats.pause_max_ns) * 1e-6);
  if (stats.mistakes + stats.verifier_misses + stats.misuses != 0) return 1;
  if (stats.collections < 10 || stats.collected == 0) {
    std::printf("stress: too few collections to mean anything\n");
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int duration = argc > 1 ? std::atoi(argv[1]) : 5;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 8;
  const uint64_t byte_limit = argc > 3 ? std::strtoull(argv[3], nullptr, 10) << 20 : 0;
  if (duration <= 0 || threads <= 0) {
    std::fprintf(stderr, "usage: stress [SECONDS [THREADS [MEBIBYTES]]]\n");
    return 2;
  }
  pthread_key_t key;
  if (pthread_key_create(&key, nullptr) != 0) fail("no TSD key");
  if (byte_limit == 0) bytes_allowed = UINT64_MAX;
  std::vector<std::thread> workers;
  workers.reserve(static_cast<size_t>(threads));
  for (int i = 0; i < threads; ++i) workers.emplace_back(work, static_cast<uint64_t>(i) + 1, key);
  collect_for(std::chrono::seconds(duration), byte_limit);
  stop = true;
  for (std::thread& worker : workers) worker.join();
  return report();
}
