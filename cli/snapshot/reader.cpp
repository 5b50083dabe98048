// The sections of a snapshot. Two passes over the file: the first one learns which blocks there
// are, the second one what refers to them, since references go forwards as well as backwards and
// name granules, not blocks.
#include "cli/snapshot/reader.h"

#include <algorithm>

#include "cli/failure.h"
#include "cli/snapshot/chunk_file.h"
#include "cli/snapshot/payload.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

constexpr uint64_t kGranule = 16;
// No address of a user's program has more bits; sums of such numbers do not wrap around.
constexpr uint64_t kMostGranules = (uint64_t{1} << 47) / kGranule;
constexpr size_t kLeastBlock = 9;  // bytes of a record
constexpr size_t kLeastEdge = 3;
constexpr size_t kLeastRoot = 6;

class Reader {
 public:
  Reader(const std::string& path, const Progress& progress) : file_(path), progress_(progress) {}

  Snapshot read() {
    s_.header = file_.header();
    s_.totals = file_.end();
    check_header();
    s_.threads.resize(1);
    s_.strings.resize(1);
    s_.stack_first = {0, 0};
    reserve_blocks();
    each_chunk([this](const Chunk& chunk) { first_pass(chunk); });
    s_.index_blocks();
    check_blocks();
    reserve_references();
    file_.rewind();
    each_chunk([this](const Chunk& chunk) { second_pass(chunk); });
    check_references();
    return std::move(s_);
  }

 private:
  static void check(bool right, const char* why) {
    if (!right) throw Damage{why};
  }

  void check_header() {
    check(s_.header.heap_base % kGranule == 0 && s_.header.heap_base < kMostGranules * kGranule,
          "its heap lies where none can be");
    check(s_.totals.blocks < UINT32_MAX, "it has more blocks than any program");
    check(s_.totals.blocks <= file_.size() / kLeastBlock &&
              s_.totals.edges <= file_.size() / kLeastEdge &&
              s_.totals.roots <= file_.size() / kLeastRoot,
          "its end names more records than it has room for");
  }

  void reserve_blocks() {
    const size_t blocks = s_.totals.blocks;
    s_.address.reserve(blocks);
    s_.requested.reserve(blocks);
    s_.size.reserve(blocks);
    s_.flags.reserve(blocks);
    s_.stack.reserve(blocks);
    s_.thread.reserve(blocks);
    s_.time_ms.reserve(blocks);
  }

  void reserve_references() {
    s_.edge_first.reserve(s_.address.size() + 1);
    s_.word_first.reserve(s_.address.size() + 1);
    s_.edges.reserve(edges_);
    s_.words.reserve(packed_);
    s_.roots.reserve(s_.totals.roots);
    s_.edge_first.push_back(0);
    s_.word_first.push_back(0);
    granule_ = 0;
  }

  template <class Body>
  void each_chunk(Body body) {
    while (true) {
      const Chunk chunk = file_.next();
      body(chunk);
      done_ += chunk.length;
      report_progress(progress_, "reading the snapshot", done_, 2 * file_.size());
      if (chunk.kind == HEAPRAKE_SNAPSHOT_END) return;
    }
  }

  void first_pass(const Chunk& chunk) {
    Payload payload(chunk.content, chunk.length);
    switch (chunk.kind) {
      case HEAPRAKE_SNAPSHOT_SUPPRESSIONS:
        s_.suppressions.append(payload.bytes(chunk.length));
        return;
      case HEAPRAKE_SNAPSHOT_OPTIONS:
        s_.options.append(payload.bytes(chunk.length));
        return;
      case HEAPRAKE_SNAPSHOT_END:
        check(chunk.length == sizeof(heaprake_snapshot_end), "its end has the wrong length");
        return;
      case HEAPRAKE_SNAPSHOT_ROOTS:
        return;  // second pass
      default:
        while (!payload.empty()) first_record(chunk.kind, payload);
    }
  }

  void first_record(uint32_t kind, Payload& payload) {
    switch (kind) {
      case HEAPRAKE_SNAPSHOT_COMMAND:
        s_.command.emplace_back(payload.text());
        return;
      case HEAPRAKE_SNAPSHOT_INCOMPLETE:
        s_.incomplete_because.emplace_back(payload.text());
        return;
      case HEAPRAKE_SNAPSHOT_ORIGIN:
        s_.host = payload.text();
        s_.version = payload.text();
        return;
      case HEAPRAKE_SNAPSHOT_MODULES:
        return module(payload);
      case HEAPRAKE_SNAPSHOT_THREADS:
        return thread(payload);
      case HEAPRAKE_SNAPSHOT_STACKS:
        return stack(payload);
      case HEAPRAKE_SNAPSHOT_STRINGS:
        s_.strings.emplace_back(payload.text());
        return;
      case HEAPRAKE_SNAPSHOT_BLOCKS:
        return block(payload);
      default:
        throw Damage{"it has a chunk of an unknown kind"};
    }
  }

  void second_pass(const Chunk& chunk) {
    Payload payload(chunk.content, chunk.length);
    if (chunk.kind == HEAPRAKE_SNAPSHOT_BLOCKS) {
      while (!payload.empty()) references_of_block(payload);
    } else if (chunk.kind == HEAPRAKE_SNAPSHOT_ROOTS) {
      while (!payload.empty()) root(payload);
    }
  }

  void module(Payload& payload) {
    Module module;
    module.load = payload.number();
    module.lo = payload.number();
    module.hi = payload.number();
    check(module.lo <= module.hi, "a module ends before it begins");
    module.flags = static_cast<uint32_t>(payload.number_to(UINT32_MAX, "a flag is unknown"));
    module.build_id = payload.text();
    module.path = payload.text();
    s_.modules.push_back(std::move(module));
    check(s_.modules.size() < INT32_MAX, "it has more modules than any program");
  }

  void thread(Payload& payload) {
    Thread thread;
    thread.tid = static_cast<uint32_t>(payload.number_to(UINT32_MAX, "a thread's id is too large"));
    thread.flags = static_cast<uint32_t>(payload.number_to(UINT32_MAX, "a flag is unknown"));
    thread.name = payload.text();
    s_.threads.push_back(std::move(thread));
  }

  void stack(Payload& payload) {
    for (uint64_t left = payload.count(2); left > 0; --left) {
      Pc pc;
      const uint64_t module = payload.number_to(INT32_MAX, "a stack names no module");
      most_module_ = std::max(most_module_, module);
      pc.module = static_cast<int32_t>(module) - 1;
      pc.offset = payload.number();
      s_.frames.push_back(pc);
    }
    s_.stack_first.push_back(s_.frames.size());
    check(s_.stack_first.size() < UINT32_MAX, "it has more stacks than any program");
  }

  // All of a block but its words and references, which are passed over.
  void block(Payload& payload) {
    const uint64_t before = granule_;
    const uint64_t granule = next_granule(payload);
    if (granule == before && !s_.address.empty()) return continuation(payload);
    check(s_.address.size() < s_.totals.blocks, "it has more blocks than its end says");
    const uint64_t granules = payload.number_to(kMostGranules, "a block has an impossible size");
    const uint64_t size = granules * kGranule;
    check(granules > 0, "a block has an impossible size");
    check(granule >= blocks_end_, "its blocks overlap or are out of order");
    blocks_end_ = granule + granules;
    const uint64_t slack = payload.number_to(size, "a block has an impossible size");
    const uint64_t flags = payload.number_to(UINT8_MAX, "a flag is unknown");
    s_.address.push_back(s_.header.heap_base + granule * kGranule);
    s_.requested.push_back(size - slack);
    s_.size.push_back(size);
    s_.flags.push_back(static_cast<uint8_t>(flags));
    s_.stack.push_back(static_cast<uint32_t>(payload.number_to(UINT32_MAX, kNoStack)));
    s_.thread.push_back(static_cast<uint16_t>(payload.number_to(UINT16_MAX, kNoThread)));
    s_.time_ms.push_back(static_cast<uint32_t>(payload.number_to(UINT32_MAX, "a time is wrong")));
    if (flags & HEAPRAKE_BLOCK_TYPED) {
      s_.type.resize(s_.address.size());
      s_.type.back() = static_cast<uint32_t>(payload.number_to(UINT32_MAX, kNoString));
    }
    pass_over_content(payload, size);
  }

  // Further references of the last block. The rest of the record repeats what is known of it.
  void continuation(Payload& payload) {
    check(payload.number() == s_.size.back() / kGranule, "its blocks overlap or are out of order");
    skip_to_words(payload);
    pass_over_content(payload, 0);
  }

  // From slack to type.
  static void skip_to_words(Payload& payload) {
    payload.number();
    const uint64_t flags = payload.number();
    for (int i = 0; i < 3; ++i) payload.number();
    if (flags & HEAPRAKE_BLOCK_TYPED) payload.number();
  }

  void pass_over_content(Payload& payload, uint64_t size) {
    const uint64_t words = payload.number_to(size / 8, "a block has more words than room");
    packed_ += PackedWords::packed_size(payload.bytes(words * 8).data(), words);
    const uint64_t edges = payload.count(kLeastEdge);
    for (uint64_t left = edges; left > 0; --left) {
      payload.number();
      payload.number();
      payload.number();
    }
    edges_ += edges;
  }

  uint64_t next_granule(Payload& payload) {
    granule_ += payload.number_to(kMostGranules, "a block lies where none can be");
    check(granule_ <= kMostGranules, "a block lies where none can be");
    return granule_;
  }

  void check_blocks() {
    check(s_.address.size() == s_.totals.blocks, "it has fewer blocks than its end says");
    check(edges_ == s_.totals.edges, "it has not as many references as its end says");
    check(most_module_ <= s_.modules.size(), "a stack names no module");
    uint64_t blocks = 0, bytes = 0;
    for (uint32_t block = 0; block < s_.blocks(); ++block) {
      check(s_.stack[block] + uint64_t{1} < s_.stack_first.size(), kNoStack);
      check(s_.thread[block] < s_.threads.size(), kNoThread);
      if (s_.reachable(block)) continue;
      ++blocks;
      bytes += s_.requested[block];
    }
    check(blocks == s_.totals.unreachable_blocks && bytes == s_.totals.unreachable_bytes,
          "its totals are not those of its blocks");
    if (!s_.type.empty()) s_.type.resize(s_.address.size());
    for (uint32_t string : s_.type) check(string < s_.strings.size(), kNoString);
  }

  // The block that starts at the granule.
  uint32_t block_of(uint64_t granule) const {
    const uint64_t address = s_.header.heap_base + granule * kGranule;
    const uint32_t block = granule <= kMostGranules ? s_.block_at(address) : UINT32_MAX;
    check(block != UINT32_MAX && s_.address[block] == address,
          "a reference names a block that does not exist");
    return block;
  }

  void references_of_block(Payload& payload) {
    const uint64_t before = granule_;
    const uint64_t granule = next_granule(payload);
    payload.number();  // size
    skip_to_words(payload);
    const bool further = granule == before && s_.edge_first.size() > 1;
    const auto block = static_cast<uint32_t>(s_.edge_first.size() - (further ? 2 : 1));
    check(block < s_.blocks(), "it changed while it was read");
    if (!further) {
      s_.edge_first.push_back(s_.edges.size());
      next_offset_ = 0;
    }
    words(payload, further);
    uint64_t offset = 0;
    for (uint64_t left = payload.count(kLeastEdge); left > 0; --left)
      edge(payload, granule, s_.size[block], &offset);
    check(s_.edge_first.holds(s_.edges.size()), "it has more references than can be told apart");
    s_.edge_first.set_back(s_.edges.size());
  }

  void words(Payload& payload, bool further) {
    const uint64_t count = payload.count(8);
    if (further) return check(count == 0, "it changed while it was read");
    PackedWords::pack(payload.bytes(count * 8).data(), count, &s_.words);
    check(s_.words.size() <= packed_, "it changed while it was read");
    s_.word_first.push_back(s_.words.size());
  }

  void edge(Payload& payload, uint64_t granule, uint64_t size, uint64_t* offset) {
    *offset += payload.number_to(size, "a reference lies outside its block");
    check(*offset >= next_offset_, "its references are out of order");
    check(*offset < size, "a reference lies outside its block");
    next_offset_ = *offset;
    const uint32_t to = block_of(granule + static_cast<uint64_t>(payload.signed_number()));
    const uint64_t inner = payload.number();
    check(inner < s_.size[to], "a reference leads outside its block");
    check(s_.edges.size() < edges_, "it changed while it was read");
    s_.edges.push_back({to, saturated(*offset), saturated(inner)});
  }

  void root(Payload& payload) {
    RootReference root{};
    const uint64_t kind = payload.number_to(GC_REFERENCE_PINNED, "a root is of an unknown kind");
    check(kind > GC_REFERENCE_BLOCK, "a root is of an unknown kind");
    root.kind = static_cast<gc_reference_kind>(kind);
    root.where = where(root.kind, payload.number());
    root.address = payload.number();
    root.name = static_cast<uint32_t>(payload.number_to(s_.strings.size() - 1, kNoString));
    root.to = block_of(payload.number());
    root.inner = payload.number();
    check(root.inner < s_.size[root.to], "a reference leads outside its block");
    check(s_.roots.size() < s_.totals.roots, "it has more roots than its end says");
    s_.roots.push_back(root);
  }

  uint32_t where(gc_reference_kind kind, uint64_t number) const {
    switch (kind) {
      case GC_REFERENCE_GLOBAL:
        check(number <= s_.modules.size(), "a root names no module");
        return number == 0 ? UINT32_MAX : static_cast<uint32_t>(number - 1);
      case GC_REFERENCE_STACK:
      case GC_REFERENCE_REGISTER:
      case GC_REFERENCE_TLS:
        check(number < s_.threads.size(), kNoThread);
        return static_cast<uint32_t>(number);
      default:
        return UINT32_MAX;
    }
  }

  static uint32_t saturated(uint64_t number) {
    return static_cast<uint32_t>(std::min<uint64_t>(number, UINT32_MAX));
  }

  void check_references() {
    check(s_.edge_first.size() == s_.address.size() + 1 && s_.edges.size() == edges_ &&
              s_.words.size() == packed_,
          "it changed while it was read");
    check(s_.roots.size() == s_.totals.roots, "it has fewer roots than its end says");
  }

  static constexpr const char* kNoStack = "a block names no stack";
  static constexpr const char* kNoThread = "a record names no thread";
  static constexpr const char* kNoString = "a record names no string";

  ChunkFile file_;
  const Progress& progress_;
  Snapshot s_;
  uint64_t done_ = 0;         // bytes, of both passes
  uint64_t granule_ = 0;      // start of the last block
  uint64_t next_offset_ = 0;  // of the last block's next reference, at least
  uint64_t blocks_end_ = 0;   // granule after the last block
  uint64_t edges_ = 0;        // counted by the first pass
  uint64_t packed_ = 0;       // likewise: bytes of all words
  uint64_t most_module_ = 0;  // that a stack names, plus 1
};

}  // namespace

Snapshot read_snapshot(const std::string& path, const Progress& progress) {
  try {
    return Reader(path, progress).read();
  } catch (const Damage& damage) {
    throw Failure(kExitFailure,
                  "the snapshot " + shell_quoted(path) + " is damaged: " + damage.why);
  }
}

}  // namespace heaprake::cli
