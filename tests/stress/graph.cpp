#include "tests/stress/graph.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace stress {

namespace {

constexpr uint64_t kMagic = 0x6865617072616b65;
constexpr size_t kMaxChildren = 6;

}  // namespace

// The reference to a child is not always its address: every third child is referred to by an
// address inside it, every third by one with a tag in its lowest bit.
struct Node {
  uint64_t magic;
  uint64_t sum;  // of what follows, up to `visit`
  uint64_t serial;
  uint32_t words;       // of payload behind this header
  uint32_t disguise;    // how parents refer to this node: 0 address, 1 interior, 2 tagged
  uint64_t visit;       // number of the last check that came here
  uintptr_t* children;  // a block of its own that only this word refers to
  size_t child_count;
  size_t child_capacity;
  unsigned char* extra;  // likewise; its bytes all equal the low byte of `serial`
  size_t extra_size;

  uint64_t* payload() { return reinterpret_cast<uint64_t*>(this + 1); }
};

namespace {

std::atomic<uint64_t> visits{0};

[[noreturn]] void fail(const char* what, const void* where) {
  std::fprintf(stderr, "stress: FAILED: %s at %p\n", what, where);
  std::abort();
}

void* must_allocate(size_t size, Tally& tally) {
  void* p = std::malloc(size);
  if (p == nullptr) fail("out of memory", p);
  tally.bytes_built += size;
  return p;
}

uint64_t checksum(Node* node) {
  uint64_t sum = node->serial * 0x100000001b3 ^ node->words ^ node->disguise;
  for (uint32_t i = 0; i < node->words; ++i) sum = (sum ^ node->payload()[i]) * 0x100000001b3;
  return sum;
}

uintptr_t refer_to(Node* node) {
  const auto address = reinterpret_cast<uintptr_t>(node);
  return node->disguise == 1 ? address + sizeof(uint64_t) : address + (node->disguise == 2 ? 1 : 0);
}

// Nodes are 16-byte aligned, so the low bits hold nothing but the disguise.
Node* referred_by(uintptr_t reference) {
  constexpr uintptr_t kMask = 15;
  return reinterpret_cast<Node*>(reference & ~kMask);
}

void set_extra(Node* node, size_t size, Tally& tally) {
  node->extra = static_cast<unsigned char*>(must_allocate(size, tally));
  node->extra_size = size;
  std::memset(node->extra, static_cast<int>(node->serial & 0xff), size);
}

void add_child(Node* parent, Node* child, Tally& tally) {
  if (parent->child_count == parent->child_capacity) {
    const size_t capacity = parent->child_capacity * 2 + 2;
    tally.bytes_built += capacity * sizeof(uintptr_t);
    auto* moved =
        static_cast<uintptr_t*>(std::realloc(parent->children, capacity * sizeof(uintptr_t)));
    if (moved == nullptr) fail("out of memory", parent);
    // What the block held before would keep others alive.
    std::memset(moved + parent->child_capacity, 0,
                (capacity - parent->child_capacity) * sizeof(uintptr_t));
    parent->children = moved;
    parent->child_capacity = capacity;
  }
  parent->children[parent->child_count++] = refer_to(child);
}

void cut_children(Node* node, size_t count) {
  while (node->child_count > count) node->children[--node->child_count] = 0;
}

// Mostly small, sometimes of some pages, seldom large.
uint32_t payload_words(Random& random) {
  if (random.one_in(2000)) return static_cast<uint32_t>(random.below(40000));
  if (random.one_in(50)) return static_cast<uint32_t>(random.below(1500));
  return static_cast<uint32_t>(random.below(24));
}

Node* make_node(Random& random, Tally& tally) {
  const uint32_t words = payload_words(random);
  auto* node = static_cast<Node*>(must_allocate(sizeof(Node) + words * sizeof(uint64_t), tally));
  std::memset(node, 0, sizeof(Node));
  node->magic = kMagic;
  node->serial = random.next();
  node->words = words;
  node->disguise = static_cast<uint32_t>(random.below(3));
  for (uint32_t i = 0; i < words; ++i) node->payload()[i] = random.next();
  node->sum = checksum(node);
  if (random.one_in(3)) set_extra(node, 1 + random.below(300), tally);
  ++tally.nodes_built;
  return node;
}

// Aborts if node is not a whole node any more.
void check_node(Node* node) {
  if (node->magic != kMagic) fail("node lost its magic", node);
  if (node->sum != checksum(node)) fail("node lost its content", node);
  if (node->child_count > node->child_capacity) fail("node has impossible children", node);
  for (size_t i = 0; i < node->extra_size; ++i) {
    if (node->extra[i] != (node->serial & 0xff)) fail("extra block lost its content", node->extra);
  }
}

Node* random_walk(Node* node, Random& random) {
  for (size_t steps = random.below(12); steps > 0 && node->child_count > 0; --steps) {
    node = referred_by(node->children[random.below(node->child_count)]);
  }
  return node;
}

}  // namespace

uint64_t Random::next() {
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return state_ * 0x2545f4914f6cdd1d;
}

void Tally::add(const Tally& other) {
  nodes_built += other.nodes_built;
  bytes_built += other.bytes_built;
  nodes_checked += other.nodes_checked;
  graphs_dropped += other.graphs_dropped;
  graphs_passed += other.graphs_passed;
  threads_started += other.threads_started;
}

Node* build(size_t count, Random& random, Tally& tally) {
  Node* root = make_node(random, tally);
  for (size_t i = 1; i < count; ++i) {
    Node* parent = random_walk(root, random);
    Node* child = make_node(random, tally);
    add_child(parent, child, tally);
    if (random.one_in(3)) add_child(child, parent, tally);  // a cycle
    if (random.one_in(8)) add_child(child, root, tally);
  }
  return root;
}

size_t check(Node* root, Random& random, Tally& tally) {
  const uint64_t visit = visits.fetch_add(1, std::memory_order_relaxed) + 1;
  std::vector<Node*> pending;
  root->visit = visit;
  pending.push_back(root);
  size_t count = 0;
  while (!pending.empty()) {
    Node* node = pending.back();
    pending.pop_back();
    check_node(node);
    ++count;
    for (size_t i = 0; i < node->child_count; ++i) {
      Node* child = referred_by(node->children[i]);
      if (child->visit == visit) continue;
      child->visit = visit;
      pending.push_back(child);
    }
  }
  tally.nodes_checked += count;
  // A root that kept all of its children would make graphs that only grow.
  if (root->child_count > kMaxChildren) cut_children(root, 1 + random.below(kMaxChildren));
  return count;
}

void mutate(Node* root, Random& random, Tally& tally) {
  Node* node = random_walk(root, random);
  check_node(node);
  switch (random.below(4)) {
    case 0:  // whatever only this reference kept is garbage now
      if (node->child_count > 0) cut_children(node, node->child_count - 1);
      break;
    case 1:
      add_child(node, build(1 + random.below(20), random, tally), tally);
      break;
    case 2:
      add_child(node, random_walk(root, random), tally);
      break;
    default:  // freed by its owner, as programs do
      std::free(node->extra);
      set_extra(node, 1 + random.below(2000), tally);
      break;
  }
}

}  // namespace stress
