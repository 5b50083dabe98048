#include "cli/objects_in_snapshot.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "cli/analysis/dominators.h"
#include "cli/analysis/graph.h"
#include "cli/failure.h"
#include "cli/json_writer.h"
#include "cli/opened.h"
#include "cli/report/frames.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

// Blocks of one type or site, and what goes when they all go is at least the largest of them.
struct Row {
  std::string name;
  uint64_t blocks = 0, bytes = 0, retained = 0;
};

// Bytes that go with each block: dominators of the whole heap, from all roots; what is lost has
// none, and retains itself.
std::vector<uint64_t> retained_of(const Snapshot& snapshot, const Progress& progress) {
  report_progress(progress, "finding what retains what", 0, 1);
  Graph graph;
  graph.first = snapshot.edge_first;
  graph.targets.reserve(snapshot.edges.size());
  for (const BlockEdge& edge : snapshot.edges) graph.targets.push_back(edge.to);
  std::vector<uint32_t> roots;
  roots.reserve(snapshot.roots.size());
  for (const RootReference& root : snapshot.roots) roots.push_back(root.to);
  const Dominators dominators = dominators_of(graph, roots);
  std::vector<uint64_t> bytes(snapshot.blocks());
  for (uint32_t block = 0; block < snapshot.blocks(); ++block)
    bytes[block] = snapshot.requested[block];
  std::vector<uint64_t> retained = retained_bytes(dominators, std::move(bytes));
  for (uint32_t block = 0; block < snapshot.blocks(); ++block)
    retained[block] = std::max(retained[block], snapshot.requested[block]);
  return retained;
}

class Lister {
 public:
  explicit Lister(const ObjectsWanted& wanted)
      : wanted_(wanted),
        opened_(open_snapshot(wanted.subject, line_.sink())),
        snapshot_(*opened_.snapshot) {
    retained_ = retained_of(snapshot_, line_.sink());
    for (uint32_t block = 0; block < snapshot_.blocks(); ++block) {
      if (wanted.type.empty() || opened_.types.name(block) == wanted.type ||
          opened_.types.type(block).full_name == wanted.type)
        chosen_.push_back(block);
    }
    if (chosen_.empty() && !wanted.type.empty()) no_such_type();
    line_.clear();
  }

  void run() {
    if (wanted_.json) return print_json();
    uint64_t bytes = 0;
    for (uint32_t block : chosen_) bytes += snapshot_.requested[block];
    std::printf("%s, %s%s\n", counted(chosen_.size(), "block").c_str(),
                counted(bytes, "byte").c_str(),
                wanted_.type.empty() ? "" : (" of type " + printable(wanted_.type)).c_str());
    if (wanted_.type.empty())
      print_rows("By type:", rows_by([this](uint32_t b) { return type_name(b); }));
    print_rows("By allocation site:", rows_by([this](uint32_t b) { return site_name(b); }));
    print_blocks();
  }

 private:
  [[noreturn]] void no_such_type() {
    std::vector<std::string> names;
    for (const Type& type : opened_.types.all)
      if (!type.name.empty()) names.push_back(type.name);
    const std::string guess = nearest(wanted_.type, names);
    line_.clear();
    throw Failure(kExitFailure,
                  "no block is known to be of type " + printable(wanted_.type) +
                      (guess.empty() ? "" : "; did you mean " + printable(guess) + "?"));
  }

  std::string type_name(uint32_t block) const {
    const std::string& name = opened_.types.name(block);
    return name.empty() ? "unknown" : printable(name);
  }

  const std::string& site_name(uint32_t block) {
    const uint32_t stack = snapshot_.stack[block];
    const auto [found, fresh] = sites_.try_emplace(stack);
    if (!fresh) return found->second;
    const Frame* frame = own_frame(opened_.symbols->stack(stack));
    if (!frame) return found->second = "unknown";
    const std::string place = frame_place(*frame);
    return found->second =
               printable(frame_name(*frame)) + (place.empty() ? "" : " (" + printable(place) + ")");
  }

  template <class Name>
  std::vector<Row> rows_by(Name name) {
    std::map<std::string, Row> by_name;
    for (uint32_t block : chosen_) {
      const std::string& key = name(block);
      Row& row = by_name[key];
      row.name = key;
      ++row.blocks;
      row.bytes += snapshot_.requested[block];
      row.retained = std::max(row.retained, retained_[block]);
    }
    std::vector<Row> rows;
    for (auto& [key, row] : by_name) rows.push_back(std::move(row));
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Row& a, const Row& b) { return a.bytes > b.bytes; });
    return rows;
  }

  void print_rows(const char* title, const std::vector<Row>& rows) const {
    if (rows.empty() || (rows.size() == 1 && rows[0].name == "unknown")) return;
    std::printf("\n%s\n%16s  %12s  %16s  %s\n", title, "BYTES", "BLOCKS", "RETAINED, MOST", "");
    for (size_t i = 0; i < rows.size() && i < wanted_.top; ++i)
      std::printf("%16s  %12s  %16s  %s\n", grouped(rows[i].bytes).c_str(),
                  grouped(rows[i].blocks).c_str(), grouped(rows[i].retained).c_str(),
                  shortened(rows[i].name, kReportWidth - 50).c_str());
    if (rows.size() > wanted_.top)
      std::printf("  and %s more: --top %zu lists them\n",
                  grouped(rows.size() - wanted_.top).c_str(), rows.size());
  }

  // Those that retain most.
  std::vector<uint32_t> foremost() const {
    std::vector<uint32_t> blocks = chosen_;
    const size_t count = std::min<uint64_t>(wanted_.top, blocks.size());
    std::partial_sort(blocks.begin(), blocks.begin() + static_cast<ptrdiff_t>(count), blocks.end(),
                      [this](uint32_t a, uint32_t b) {
                        return retained_[a] != retained_[b] ? retained_[a] > retained_[b] : a < b;
                      });
    blocks.resize(count);
    return blocks;
  }

  void print_blocks() {
    if (chosen_.empty()) return;
    std::printf("\nThose that retain most:\n%16s  %16s  %-18s  %s\n", "RETAINED", "BYTES",
                "ADDRESS", "");
    for (uint32_t block : foremost()) {
      std::string what = type_name(block);
      if (!snapshot_.reachable(block)) what += ", lost";
      std::printf("%16s  %16s  %-18s  %s\n", grouped(retained_[block]).c_str(),
                  grouped(snapshot_.requested[block]).c_str(),
                  hexadecimal(snapshot_.address[block]).c_str(),
                  shortened(what, kReportWidth - 56).c_str());
    }
    std::printf("\nnext, to see who keeps the first of them:\n  heaprake why %s %s\n",
                shell_quoted(wanted_.subject).c_str(),
                hexadecimal(snapshot_.address[foremost()[0]]).c_str());
  }

  void print_json() {
    JsonWriter json;
    json.begin_object().member("count", chosen_.size()).key("objects").begin_array();
    for (uint32_t block : foremost()) {
      json.begin_object().member("address", hexadecimal(snapshot_.address[block]));
      json.member("type", opened_.types.name(block)).member("size", snapshot_.requested[block]);
      json.member("retained", retained_[block]).member("site", site_name(block));
      json.key("lost").boolean(!snapshot_.reachable(block)).end_object();
    }
    json.end_array().end_object();
    std::fputs(json.text().c_str(), stdout);
  }

  ProgressLine line_;
  const ObjectsWanted& wanted_;
  Opened opened_;
  const Snapshot& snapshot_;
  std::vector<uint64_t> retained_;
  std::vector<uint32_t> chosen_;
  std::map<uint32_t, std::string> sites_;
};

}  // namespace

void list_snapshot_objects(const ObjectsWanted& wanted) {
  Lister(wanted).run();
}

}  // namespace heaprake::cli
