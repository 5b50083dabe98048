// How fast a collection marks: a heap of a known shape, all of it alive, collected again and again.
// The figure is nanoseconds per live block, by the library's own clock (gc_stats.mark_total_ns).
//
// tree: nodes allocated in the order of a depth-first walk. random: each node refers to three
// others anywhere. list: one chain in random order, which no marker can walk in parallel. arrays:
// blocks of 64 KiB full of references.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <random>
#include <vector>

#include "heaprake/gc.h"

namespace {

struct Node {
  Node* next[3];
  uint64_t payload[3];
};

void** root;  // the only way to the heap that is being measured

Node* new_node() {
  return static_cast<Node*>(std::calloc(1, sizeof(Node)));
}

Node* grow_tree(size_t count) {
  if (count == 0) return nullptr;
  Node* node = new_node();
  const size_t rest = count - 1;
  for (size_t i = 0; i < 3; ++i) node->next[i] = grow_tree(rest / 3 + (i < rest % 3 ? 1 : 0));
  return node;
}

void hold(size_t slots) {
  root = static_cast<void**>(std::calloc(slots, sizeof(void*)));
}

void make_tree(size_t count) {
  hold(1);
  root[0] = grow_tree(count);
}

void make_random(size_t count) {
  hold(count);
  std::mt19937_64 random(1);
  for (size_t i = 0; i < count; ++i) root[i] = new_node();
  for (size_t i = 0; i < count; ++i) {
    for (Node*& next : static_cast<Node*>(root[i])->next) {
      next = static_cast<Node*>(root[random() % count]);
    }
  }
  // Reached through each other only: most through the first.
  std::fill(root + 1, root + count, nullptr);
}

void make_list(size_t count) {
  std::vector<Node*> nodes(count);
  for (Node*& node : nodes) node = new_node();
  std::shuffle(nodes.begin(), nodes.end(), std::mt19937_64(1));
  for (size_t i = 1; i < count; ++i) nodes[i - 1]->next[0] = nodes[i];
  hold(1);
  root[0] = nodes[0];
}

void make_arrays(size_t count) {
  constexpr size_t kWords = 8192;
  const size_t arrays = count / 64 + 1;
  hold(arrays);
  std::mt19937_64 random(1);
  std::vector<Node*> nodes(count);
  for (Node*& node : nodes) node = new_node();
  for (size_t i = 0; i < arrays; ++i) {
    auto** array = static_cast<Node**>(std::malloc(kWords * sizeof(Node*)));
    for (size_t j = 0; j < kWords; ++j) array[j] = nodes[random() % count];
    root[i] = array;
  }
}

void mark(benchmark::State& state, void (*make)(size_t)) {
  gc_disable();
  make(static_cast<size_t>(state.range(0)));
  gc_collect();
  gc_stats before;
  gc_get_stats(&before);
  for (auto _ : state) gc_collect();
  gc_stats after;
  gc_get_stats(&after);
  const auto rounds = static_cast<double>(after.collections - before.collections);
  const auto blocks = static_cast<double>(after.live_blocks);
  const auto marking = static_cast<double>(after.mark_total_ns - before.mark_total_ns);
  state.counters["blocks"] = blocks;
  state.counters["ns_per_block"] = marking / rounds / blocks;
  state.counters["mark_ms"] = marking / rounds * 1e-6;
  state.counters["GB_per_s"] = static_cast<double>(after.live_bytes) * rounds / marking;
  root = nullptr;
  gc_collect();
}

constexpr int64_t kNodes = 2'000'000;
BENCHMARK_CAPTURE(mark, tree, make_tree)->Arg(kNodes)->Iterations(5);
BENCHMARK_CAPTURE(mark, random, make_random)->Arg(kNodes)->Iterations(5);
BENCHMARK_CAPTURE(mark, list, make_list)->Arg(kNodes / 4)->Iterations(5);
BENCHMARK_CAPTURE(mark, arrays, make_arrays)->Arg(kNodes / 10)->Iterations(5);

}  // namespace

BENCHMARK_MAIN();
