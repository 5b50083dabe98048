// GCBench's work (Ellis, Kovac, Boehm): binary trees of all depths, built and dropped, beside a
// tree and an array that live on. Built with heaprake and with libgc, where nothing is ever freed;
// with the argument `free` each tree is freed by hand, for a comparison with a plain allocator.
//
//     trees [free]    prints the number of nodes made
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#ifdef BENCH_LIBGC
#include <gc/gc.h>
#endif

namespace {

struct Node {
  Node* left;
  Node* right;
  int32_t i, j;
};

constexpr int kLongDepth = 18, kMinDepth = 4, kMaxDepth = 18;
constexpr size_t kArray = 4'000'000;

bool frees;
uint64_t made;

void* allocate(size_t size) {
#ifdef BENCH_LIBGC
  return GC_MALLOC(size);
#else
  return std::calloc(1, size);
#endif
}
double* allocate_numbers() {
#ifdef BENCH_LIBGC
  return static_cast<double*>(GC_MALLOC_ATOMIC(kArray * sizeof(double)));
#else
  return static_cast<double*>(std::malloc(kArray * sizeof(double)));
#endif
}

Node* new_node() {
  ++made;
  return static_cast<Node*>(allocate(sizeof(Node)));
}
void release(Node* tree) {
  if (!tree) return;
  release(tree->left);
  release(tree->right);
  std::free(tree);
}

uint64_t tree_size(int depth) {
  return (uint64_t{1} << (depth + 1)) - 1;
}

// From the root down: the tree is complete only at the end.
void populate(int depth, Node* node) {
  if (depth <= 0) return;
  node->left = new_node();
  node->right = new_node();
  populate(depth - 1, node->left);
  populate(depth - 1, node->right);
}
// From the leaves up.
Node* make_tree(int depth) {
  if (depth <= 0) return new_node();
  Node* left = make_tree(depth - 1);
  Node* right = make_tree(depth - 1);
  Node* node = new_node();
  node->left = left;
  node->right = right;
  return node;
}

[[gnu::noinline]] void build(int depth) {
  const uint64_t rounds = 2 * tree_size(kMaxDepth) / tree_size(depth);
  for (uint64_t i = 0; i < rounds; ++i) {
    Node* tree = new_node();
    populate(depth, tree);
    if (frees) release(tree);
  }
  for (uint64_t i = 0; i < rounds; ++i) {
    Node* tree = make_tree(depth);
    if (frees) release(tree);
  }
}

}  // namespace

int main(int argc, char** argv) {
#ifdef BENCH_LIBGC
  GC_INIT();
#endif
  frees = argc > 1 && std::strcmp(argv[1], "free") == 0;
  static Node* lasting;
  static double* numbers;
  lasting = new_node();
  populate(kLongDepth, lasting);
  numbers = allocate_numbers();
  for (size_t i = 0; i < kArray / 2; ++i) numbers[i] = 1.0 / static_cast<double>(i + 1);
  for (int depth = kMinDepth; depth <= kMaxDepth; depth += 2) build(depth);
  std::printf("%llu %.3f\n", static_cast<unsigned long long>(made),
              lasting->left ? numbers[1000] : 0.0);
}
