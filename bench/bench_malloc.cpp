// malloc and free as programs call them. Knows no allocator: bench/run preloads one after another.
//
// pair: allocate and free at once. batch: 1000 live blocks of mixed sizes, freed in another order.
// hand_over: one thread's blocks freed by the next, as with queues between threads.
#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace {

void pair(benchmark::State& state) {
  const auto size = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    void* p = std::malloc(size);
    benchmark::DoNotOptimize(p);
    std::free(p);
  }
}
BENCHMARK(pair)->Arg(16)->Arg(64)->Arg(256)->Arg(1024)->Arg(16384)->Arg(1 << 20);
BENCHMARK(pair)->Arg(64)->Threads(2)->UseRealTime();

void batch(benchmark::State& state) {
  constexpr size_t kBlocks = 1000;
  std::vector<void*> blocks(kBlocks);
  for (auto _ : state) {
    uint32_t noise = 1;
    for (void*& block : blocks) {
      noise = noise * 1664525 + 1013904223;
      block = std::malloc(16 + (noise >> 16) % 500);
      *static_cast<uint32_t*>(block) = noise;
    }
    for (size_t i = 0; i < kBlocks; ++i) std::free(blocks[i * 7 % kBlocks]);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBlocks));
}
BENCHMARK(batch);
BENCHMARK(batch)->Threads(2)->UseRealTime();

std::array<std::atomic<void*>, 1024> shelf;

void hand_over(benchmark::State& state) {
  uint32_t noise = static_cast<uint32_t>(state.thread_index()) + 1;
  for (auto _ : state) {
    noise = noise * 1664525 + 1013904223;
    void* mine = std::malloc(32 + (noise >> 20) % 200);
    std::free(shelf[(noise >> 8) % shelf.size()].exchange(mine));
  }
}
BENCHMARK(hand_over)->UseRealTime();
BENCHMARK(hand_over)->Threads(2)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
