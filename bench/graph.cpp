// How fast a full collection goes through a heap that is all alive. One program, built twice: with
// heaprake, and (BENCH_LIBGC) with libgc, so that both see the same heap in the same layout.
//
//     graph SHAPE MIB [ROUNDS]    prints: shape blocks bytes ns_per_block GB_per_s chase_ns
//
// A node is 64 bytes with three references, but for the last two shapes.
//   random   each node refers to three others anywhere
//   tree     ternary, nodes allocated in the order of a depth-first walk
//   shuffled the same tree, each node anywhere
//   list     one chain in random order, which nothing can walk in parallel; chase_ns is what the
//            program itself needs for a step along it
//   arrays   blocks of 64 KiB full of references to a few nodes; bytes counts the arrays
//   bulk     blocks of 1 MiB without a reference, not told to the collector
// A round is a whole collection, threads' stop included; the figures are CPU time, of all markers,
// so that other load on the machine counts for little.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <string_view>
#include <vector>

#ifdef BENCH_LIBGC
#include <gc/gc.h>
#else
#include "heaprake/gc.h"
#endif

namespace {

#ifdef BENCH_LIBGC
void* allocate(size_t size) {
  return GC_MALLOC(size);
}
void start() {
  GC_INIT();
  GC_disable();
}
void collect() {
  GC_enable();
  GC_gcollect();
  GC_disable();
}
#else
void* allocate(size_t size) {
  return std::calloc(1, size);
}
void start() {
  gc_disable();
}
void collect() {
  gc_collect();
}
#endif

struct Node {
  Node* next[3];
  uint64_t payload[5];
};
static_assert(sizeof(Node) == 64);

void* root;  // the only way to the heap that is being measured

struct Heap {
  size_t blocks;
  size_t bytes;
  double chase_ns = 0;
};

// Of all threads, helpers that mark included.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The addresses lie where no collector looks: inverted.
class Hidden {
 public:
  explicit Hidden(size_t count) : words_(count) {}
  Node* operator[](size_t i) const { return reinterpret_cast<Node*>(~words_[i]); }
  void set(size_t i, Node* node) { words_[i] = ~reinterpret_cast<uintptr_t>(node); }
  void shuffle() { std::shuffle(words_.begin(), words_.end(), std::mt19937_64(1)); }
  size_t size() const { return words_.size(); }

 private:
  std::vector<uintptr_t> words_;
};

Hidden make_nodes(size_t count) {
  Hidden nodes(count);
  for (size_t i = 0; i < count; ++i) nodes.set(i, static_cast<Node*>(allocate(sizeof(Node))));
  return nodes;
}

// Node i of a depth-first numbering, the root of `count` nodes.
void link_tree(const Hidden& nodes, size_t i, size_t count) {
  size_t at = i + 1, rest = count - 1;
  for (size_t child = 0; child < 3 && at < i + count; ++child) {
    const size_t part = rest / 3 + (child < rest % 3 ? 1 : 0);
    if (!part) break;
    nodes[i]->next[child] = nodes[at];
    link_tree(nodes, at, part);
    at += part;
  }
}

Heap make_tree(size_t bytes, bool shuffled) {
  Hidden nodes = make_nodes(bytes / sizeof(Node));
  if (shuffled) nodes.shuffle();
  link_tree(nodes, 0, nodes.size());
  root = nodes[0];
  return {nodes.size(), bytes};
}

Heap make_random(size_t bytes) {
  const Hidden nodes = make_nodes(bytes / sizeof(Node));
  std::mt19937_64 random(1);
  for (size_t i = 0; i < nodes.size(); ++i) {
    nodes[i]->next[0] = nodes[random() % nodes.size()];
    nodes[i]->next[1] = nodes[random() % nodes.size()];
    nodes[i]->next[2] = nodes[random() % nodes.size()];
  }
  root = nodes[0];
  return {nodes.size(), bytes};
}

Heap make_list(size_t bytes) {
  Hidden nodes = make_nodes(bytes / sizeof(Node));
  nodes.shuffle();
  for (size_t i = 1; i < nodes.size(); ++i) nodes[i - 1]->next[0] = nodes[i];
  root = nodes[0];
  const double began = cpu_seconds();
  uint64_t sum = 0;
  for (const Node* node = nodes[0]; node; node = node->next[0]) sum += node->payload[0];
  const double ns = (cpu_seconds() - began) * 1e9 + static_cast<double>(sum);
  return {nodes.size(), bytes, ns / static_cast<double>(nodes.size())};
}

Heap make_arrays(size_t bytes) {
  constexpr size_t kBytes = 64 << 10, kWords = kBytes / sizeof(void*);
  const Hidden nodes = make_nodes(1024);
  const size_t count = bytes / kBytes;
  auto** arrays = static_cast<void**>(allocate(count * sizeof(void*)));
  std::mt19937_64 random(1);
  for (size_t i = 0; i < count; ++i) {
    auto** array = static_cast<void**>(allocate(kBytes));
    for (size_t j = 0; j < kWords; ++j) array[j] = nodes[random() % nodes.size()];
    arrays[i] = array;
  }
  root = arrays;
  return {count, bytes};
}

Heap make_bulk(size_t bytes) {
  constexpr size_t kBytes = 1 << 20;
  const size_t count = bytes / kBytes;
  auto** blocks = static_cast<void**>(allocate(count * sizeof(void*)));
  for (size_t i = 0; i < count; ++i) {
    blocks[i] = allocate(kBytes);
    // Small numbers, as measurements, texts and pictures are: no address.
    memset(blocks[i], static_cast<int>(i % 100 + 1), kBytes);
  }
  root = blocks;
  return {count, bytes};
}

Heap make(std::string_view shape, size_t bytes) {
  if (shape == "random") return make_random(bytes);
  if (shape == "tree") return make_tree(bytes, false);
  if (shape == "shuffled") return make_tree(bytes, true);
  if (shape == "list") return make_list(bytes);
  if (shape == "arrays") return make_arrays(bytes);
  if (shape == "bulk") return make_bulk(bytes);
  fprintf(stderr, "graph: there is no shape '%s'\n", std::string(shape).c_str());
  exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: graph random|tree|shuffled|list|arrays|bulk MIB [ROUNDS]\n");
    return 2;
  }
  start();
  const Heap heap = make(argv[1], strtoull(argv[2], nullptr, 10) << 20);
  const int rounds = argc > 3 ? atoi(argv[3]) : 5;
  collect();  // the first one maps tables
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    const double began = cpu_seconds();
    collect();
    times.push_back(cpu_seconds() - began);
  }
  std::sort(times.begin(), times.end());
  const double ns = times[times.size() / 2] * 1e9;
  printf("%s %zu %zu %.1f %.2f %.1f\n", argv[1], heap.blocks, heap.bytes,
         ns / static_cast<double>(heap.blocks), static_cast<double>(heap.bytes) / ns,
         heap.chase_ns);
  return root ? 0 : 1;
}
