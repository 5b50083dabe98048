// Programs that do little but allocate, each a fixed amount of work, so that CPU time is the
// figure. Knows no allocator: bench/run preloads one after another.
//
//     workloads NAME      prints a checksum that every allocator must agree on
//
//   larson    threads that replace random blocks and hand their arrays on to the next thread
//   churn     each thread allocates and frees a few blocks, over and over, and writes to them
//   handover  one thread allocates, another one frees
//   mixed     random sizes to 64 KiB with long and short lives, two threads
//   realloc   buffers that grow as a string does
//   strings   std::string, std::vector and std::map, built and dropped
//   calloc    small zeroed blocks
//   tree      binary trees, built and dropped
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

struct Random {
  uint64_t state;
  uint64_t next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  }
};

// Small sizes are frequent: each power of two from 16 on half as often as the one before.
size_t some_size(uint64_t random, unsigned powers) {
  const auto shift = static_cast<unsigned>(__builtin_ctzll(random | 1ull << (powers - 1)));
  const size_t size = size_t{16} << shift;
  return size + (random >> 32) % size;
}

void touch(void* block, uint64_t value) {
  std::memcpy(block, &value, sizeof value);
}
uint64_t look(const void* block) {
  uint64_t value = 0;
  std::memcpy(&value, block, sizeof value);
  return value;
}

uint64_t in_two_threads(uint64_t (*work)(uint64_t seed)) {
  std::array<uint64_t, 2> sums{};
  std::thread other([&] { sums[1] = work(2); });
  sums[0] = work(1);
  other.join();
  return sums[0] + sums[1];
}

using Blocks = std::vector<void*>;

void replace(Blocks& blocks, Random& random, size_t times) {
  for (size_t i = 0; i < times; ++i) {
    void*& slot = blocks[random.next() % blocks.size()];
    std::free(slot);
    slot = std::malloc(8 + random.next() % 1000);
    touch(slot, 1);
  }
}

uint64_t larson_chain(uint64_t seed) {
  Blocks blocks(5000);
  Random random{seed};
  for (int generation = 0; generation < 150; ++generation) {
    std::thread([&] { replace(blocks, random, 60'000); }).join();
  }
  uint64_t sum = random.next();
  for (void* block : blocks) {
    if (block) sum += look(block);
    std::free(block);
  }
  return sum;
}

uint64_t churn_one(uint64_t seed) {
  uint64_t sum = 0;
  std::array<void*, 8> blocks{};
  for (uint64_t i = 0; i < 8'000'000; ++i) {
    void*& slot = blocks[i % blocks.size()];
    if (slot) sum += look(slot);
    std::free(slot);
    slot = std::malloc(8 * (1 + (i * seed) % 16));
    touch(slot, i);
  }
  for (void* block : blocks) std::free(block);
  return sum;
}

uint64_t handover() {
  constexpr size_t kBatch = 1000, kBatches = 6000, kSlots = 8;
  static std::array<std::atomic<Blocks*>, kSlots> slots;
  uint64_t sum = 0;
  std::thread consumer([&] {
    for (size_t i = 0; i < kBatches; ++i) {
      Blocks* batch = nullptr;
      while (!(batch = slots[i % kSlots].exchange(nullptr))) std::this_thread::yield();
      for (void* block : *batch) {
        sum += look(block);
        std::free(block);
      }
      delete batch;
    }
  });
  Random random{7};
  for (size_t i = 0; i < kBatches; ++i) {
    auto* batch = new Blocks(kBatch);
    for (void*& block : *batch) {
      block = std::malloc(some_size(random.next(), 5));
      touch(block, i);
    }
    while (slots[i % kSlots].load()) std::this_thread::yield();
    slots[i % kSlots] = batch;
  }
  consumer.join();
  return sum;
}

uint64_t mixed_one(uint64_t seed) {
  Random random{seed * 77};
  Blocks lasting(2000), brief(50);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < 16'000'000; ++i) {
    const uint64_t r = random.next();
    void*& slot = i % 16 == 0 ? lasting[(r >> 40) % lasting.size()] : brief[i % brief.size()];
    if (slot) sum += look(slot);
    std::free(slot);
    slot = std::malloc(some_size(r, 12));
    touch(slot, i);
  }
  for (void* block : lasting) std::free(block);
  for (void* block : brief) std::free(block);
  return sum;
}

uint64_t grow() {
  uint64_t sum = 0;
  for (uint64_t i = 0; i < 40'000; ++i) {
    char* text = nullptr;
    for (size_t size = 16; size < 40'000; size += size / 4 + i % 16) {
      text = static_cast<char*>(std::realloc(text, size));
      text[size - 1] = static_cast<char>(i);
    }
    sum += static_cast<unsigned char>(text[15]);
    std::free(text);
  }
  return sum;
}

uint64_t strings() {
  uint64_t sum = 0;
  Random random{3};
  for (int round = 0; round < 25; ++round) {
    std::map<std::string, std::vector<std::string>> index;
    for (int i = 0; i < 60'000; ++i) {
      const std::string word = "the word number " + std::to_string(random.next() % 5000);
      index[word].push_back(word + " on line " + std::to_string(i));
    }
    for (const auto& [word, lines] : index) sum += word.size() * lines.size();
  }
  return sum;
}

uint64_t zeroed() {
  uint64_t sum = 0;
  std::vector<uint64_t*> blocks(10'000);
  for (uint64_t i = 0; i < 40'000'000; ++i) {
    uint64_t*& slot = blocks[i % blocks.size()];
    std::free(slot);
    slot = static_cast<uint64_t*>(std::calloc(1 + i % 6, 16));
    sum += slot[1];
    slot[1] = i;
  }
  for (uint64_t* block : blocks) std::free(block);
  return sum;
}

struct Tree {
  Tree* left;
  Tree* right;
};
Tree* build(unsigned depth) {
  auto* tree = new Tree{};
  if (depth) *tree = {build(depth - 1), build(depth - 1)};
  return tree;
}
uint64_t drop(Tree* tree) {
  if (!tree) return 0;
  const uint64_t count = 1 + drop(tree->left) + drop(tree->right);
  delete tree;
  return count;
}
uint64_t trees() {
  Tree* lasting = build(18);
  uint64_t sum = 0;
  for (int i = 0; i < 12'000; ++i) sum += drop(build(10));
  return sum + drop(lasting);
}

uint64_t run(std::string_view name) {
  if (name == "larson") return in_two_threads(larson_chain);
  if (name == "churn") return in_two_threads(churn_one);
  if (name == "handover") return handover();
  if (name == "mixed") return in_two_threads(mixed_one);
  if (name == "realloc") return grow();
  if (name == "strings") return strings();
  if (name == "calloc") return zeroed();
  if (name == "tree") return trees();
  std::fprintf(stderr, "workloads: there is none called '%s'\n", std::string(name).c_str());
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr,
                 "usage: workloads larson|churn|handover|mixed|realloc|strings|calloc|tree\n");
    return 2;
  }
  std::printf("%llu\n", static_cast<unsigned long long>(run(argv[1])));
}
