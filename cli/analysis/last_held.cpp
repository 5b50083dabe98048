// From earlier checks of the same run: what held a lost block last.
#include <optional>

#include "cli/analysis/growth.h"
#include "cli/analysis/paths.h"

namespace heaprake::cli {

namespace {

// The same allocation in another snapshot, UINT32_MAX if it did not exist yet or is another one.
// Stacks are compared by their content, since their numbers may change.
uint32_t same_block(const Snapshot& now, uint32_t lost, const Snapshot& then) {
  const uint64_t address = now.address[lost];
  const uint32_t block = then.block_at(address);
  if (block == UINT32_MAX || then.address[block] != address ||
      then.time_ms[block] != now.time_ms[lost] || then.requested[block] != now.requested[lost])
    return UINT32_MAX;
  const std::span<const Pc> one = now.stack_of(now.stack[lost]);
  const std::span<const Pc> other = then.stack_of(then.stack[block]);
  if (one.size() != other.size()) return UINT32_MAX;
  for (size_t i = 0; i < one.size(); ++i)
    if (one[i].offset != other[i].offset) return UINT32_MAX;
  return block;
}

// A check, and ways through it once they are needed.
class Check {
 public:
  Check(const Snapshot& now, const Earlier& earlier)
      : now_(now),
        then_(*earlier.snapshot),
        types_(*earlier.types),
        files_(std::make_shared<ModuleFiles>(then_)),
        symbols_(then_, files_),
        fields_(then_, files_) {}

  void tell(Finding* finding) {
    for (const Member& member : finding->members) {
      const uint32_t block = now_.block_at(member.address);
      if (block != UINT32_MAX && tell(block, finding)) return;
    }
  }

  // Those whose examples were lost before, by others of their structures.
  void tell_by_others(std::vector<Finding>* findings) {
    for (Finding& finding : *findings) {
      for (size_t i = 0; i < finding.roots.size() && !finding.last_held; ++i)
        if (tell(finding.roots[i], &finding)) finding.last_held->another = true;
    }
  }

 private:
  bool tell(uint32_t lost, Finding* finding) {
    const uint32_t block = same_block(now_, lost, then_);
    if (block == UINT32_MAX || !then_.reachable(block)) return false;
    const Names names{then_, types_, symbols_, fields_};
    if (!paths_) paths_.emplace(names);
    const std::optional<Path> path = paths_->to(block);
    if (!path) return false;
    const auto uptime = static_cast<uint32_t>(then_.header.uptime_ms);
    finding->last_held = LastHeld{uptime, path_text(names, *path)};
    return true;
  }

  const Snapshot& now_;
  const Snapshot& then_;
  const Types& types_;
  const SharedFiles files_;
  Symbols symbols_;
  Fields fields_;
  std::optional<Paths> paths_;
};

}  // namespace

void tell_last_held(const Snapshot& now, const std::vector<Earlier>& earlier, Findings* findings) {
  for (size_t i = earlier.size(); i-- > 0;) {
    const Snapshot& then = *earlier[i].snapshot;
    if (!(then.header.flags & HEAPRAKE_SNAPSHOT_ALL) || then.header.pid != now.header.pid) continue;
    Check at(now, earlier[i]);
    for (Finding& finding : findings->lost)
      if (!finding.last_held) at.tell(&finding);
    at.tell_by_others(&findings->lost);
  }
}

}  // namespace heaprake::cli
