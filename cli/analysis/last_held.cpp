// From earlier checks of the same run: what held a lost block last.
#include <optional>

#include "cli/analysis/growth.h"
#include "cli/analysis/paths.h"

namespace heaprake::cli {

namespace {

// The same allocation in another snapshot, UINT32_MAX if it did not exist yet or is another one.
// Stacks are compared by their content, since their numbers may change.
uint32_t same_block(const Snapshot& now, const Member& member, const Snapshot& then) {
  const uint32_t block = then.block_at(member.address);
  if (block == UINT32_MAX || then.address[block] != member.address ||
      then.time_ms[block] != member.time_ms || then.requested[block] != member.size)
    return UINT32_MAX;
  const std::span<const Pc> one = now.stack_of(member.stack);
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
      const uint32_t block = same_block(now_, member, then_);
      if (block == UINT32_MAX || !then_.reachable(block)) continue;
      if (!paths_) paths_.emplace(then_);
      const std::optional<Path> path = paths_->to(block);
      if (!path) continue;
      const Names names{then_, types_, symbols_, fields_};
      const auto uptime = static_cast<uint32_t>(then_.header.uptime_ms);
      finding->last_held = LastHeld{uptime, path_text(names, *path)};
      return;
    }
  }

 private:
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
  }
}

}  // namespace heaprake::cli
