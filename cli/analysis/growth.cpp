#include "cli/analysis/growth.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "cli/analysis/circles.h"
#include "cli/analysis/merging.h"

namespace heaprake::cli {

namespace {

// Numbers for stacks that mean the same in both snapshots, whatever was loaded where.
class Sites {
 public:
  // Number 0 is the unknown one.
  std::vector<uint32_t> number(const Snapshot& snapshot) {
    std::vector<uint32_t> numbers = {0};
    for (uint32_t stack = 1; stack + 1 < snapshot.stack_first.size(); ++stack) {
      const auto next = static_cast<uint32_t>(known_.size() + 1);
      numbers.push_back(known_.try_emplace(text_of(snapshot, stack), next).first->second);
    }
    return numbers;
  }

  static std::string text_of(const Snapshot& snapshot, uint32_t stack) {
    std::string text;
    for (const Pc& pc : snapshot.stack_of(stack)) {
      if (pc.module >= 0) text += snapshot.modules[static_cast<size_t>(pc.module)].path;
      text += "+" + std::to_string(pc.offset) + "\n";
    }
    return text;
  }

 private:
  std::unordered_map<std::string, uint32_t> known_;
};

// One kind of block on both sides.
class Comparison {
 public:
  template <class Describe>
  void count(const Snapshot& snapshot, uint32_t block, uint64_t key, bool later,
             Describe describe) {
    const auto [found, fresh] = numbers_.try_emplace(key, rows_.size());
    if (fresh) rows_.emplace_back();
    Growth& row = rows_[found->second];
    Amount& amount = later ? row.after : row.before;
    if (later && (amount.blocks == 0 || is_better(snapshot, block, row.example)))
      row.example = block;
    if (later && amount.blocks == 0) describe(&row);
    ++amount.blocks;
    amount.bytes += snapshot.requested[block];
    if (!later || snapshot.reachable(block)) return;
    ++row.lost.blocks;
    row.lost.bytes += snapshot.requested[block];
  }

  std::vector<Growth> grown() {
    std::vector<Growth> grown;
    for (Growth& row : rows_)
      if (row.bytes() > 0) grown.push_back(std::move(row));
    std::sort(grown.begin(), grown.end(), [](const Growth& a, const Growth& b) {
      return std::tuple(b.bytes(), b.blocks(), a.stack, a.size, a.type) <
             std::tuple(a.bytes(), a.blocks(), b.stack, b.size, b.type);
    });
    return grown;
  }

 private:
  static bool is_better(const Snapshot& snapshot, uint32_t block, uint32_t than) {
    const auto rank = [&](uint32_t b) {
      return std::pair(snapshot.reachable(b), snapshot.time_ms[b]);
    };
    return rank(block) > rank(than);
  }

  std::unordered_map<uint64_t, size_t> numbers_;
  std::vector<Growth> rows_;
};

class Growing {
 public:
  void add(const Snapshot& snapshot, const Types& types, bool later) {
    const std::vector<uint32_t> sites = sites_.number(snapshot);
    std::vector<uint32_t> names;
    for (const Type& type : types.all) {
      const auto next = static_cast<uint32_t>(names_.size());
      names.push_back(names_.try_emplace(type.name, next).first->second);
    }
    for (uint32_t block = 0; block < snapshot.blocks(); ++block) {
      const uint32_t stack = snapshot.stack[block];
      const uint64_t size = stack == 0 ? snapshot.requested[block] : 0;
      const uint64_t key = stack == 0 ? size << 1 | 1 : uint64_t{sites[stack]} << 1;
      by_site_.count(snapshot, block, key, later, [&](Growth* row) {
        row->stack = stack;
        row->size = size;
      });
      if (types.of[block] == 0) continue;
      by_type_.count(snapshot, block, names[types.of[block]], later,
                     [&](Growth* row) { row->type = types.name(block); });
    }
  }

  std::vector<Growth> sites() { return by_site_.grown(); }
  std::vector<Growth> types() { return by_type_.grown(); }

 private:
  Sites sites_;
  std::unordered_map<std::string, uint32_t> names_;
  Comparison by_site_, by_type_;
};

// What stays the same of a finding from one snapshot to the next.
std::string signature(const Snapshot& snapshot, const Finding& finding) {
  std::vector<std::string> words;
  for (const Member* member : lost_members(finding)) {
    words.push_back("\n" + member->label + "\n" + Sites::text_of(snapshot, member->stack));
    if (member->label.empty() && member->stack == 0) words.back() += std::to_string(member->size);
  }
  std::string text = finding.cycle_length > 0 ? "cycle" : "block";
  for (const std::string& word : known_words(finding, std::move(words))) text += word;
  return text;
}

}  // namespace

GrowthReport growth_between(const Snapshot& before, const Types& types_before,
                            const Snapshot& after, const Types& types_after) {
  GrowthReport report;
  report.same_process = before.header.pid == after.header.pid && before.command == after.command &&
                        before.header.uptime_ms <= after.header.uptime_ms;
  if (report.same_process)
    report.elapsed_ms = after.header.uptime_ms - before.header.uptime_ms;
  else if (after.header.taken_ns > before.header.taken_ns)
    report.elapsed_ms = (after.header.taken_ns - before.header.taken_ns) / 1'000'000;
  const heaprake_snapshot_end &b = before.totals, &a = after.totals;
  report.reachable_before = {b.reachable_blocks, b.reachable_bytes};
  report.reachable_after = {a.reachable_blocks, a.reachable_bytes};
  report.lost_before = {b.unreachable_blocks, b.unreachable_bytes};
  report.lost_after = {a.unreachable_blocks, a.unreachable_bytes};
  Growing growing;
  growing.add(before, types_before, false);
  growing.add(after, types_after, true);
  report.sites = growing.sites();
  report.types = growing.types();
  return report;
}

int64_t hourly(int64_t bytes, uint64_t elapsed_ms) {
  if (elapsed_ms == 0) return 0;
  return static_cast<int64_t>(static_cast<double>(bytes) * 3'600'000.0 /
                              static_cast<double>(elapsed_ms));
}

std::vector<NewLeak> new_leaks(const Snapshot& before, const Findings& findings_before,
                               const Snapshot& after, const Findings& findings_after) {
  std::unordered_map<std::string, uint64_t> known;
  for (const Finding& finding : findings_before.lost)
    known[signature(before, finding)] += finding.structures;
  std::vector<NewLeak> leaks;
  for (const Finding& finding : findings_after.lost) {
    uint64_t& left = known[signature(after, finding)];
    const uint64_t old = std::min(left, finding.structures);
    left -= old;
    if (finding.structures > old) leaks.push_back({&finding, finding.structures - old});
  }
  return leaks;
}

}  // namespace heaprake::cli
