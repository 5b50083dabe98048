#include "cli/report/flame.h"

#include <map>
#include <tuple>

#include "cli/report/frames.h"

namespace heaprake::cli {

namespace {

class Builder {
 public:
  explicit Builder(const Report& report) : report_(report) {}

  FlameStack& at(uint32_t stack) {
    const auto [entry, fresh] = positions_.try_emplace(stack, out_.stacks.size());
    if (fresh) {
      out_.stacks.emplace_back();
      const std::vector<Frame>& frames = stack_of(report_, stack);
      for (size_t i = frames.size(); i-- > 0;) out_.stacks.back().frames.push_back(name(frames[i]));
      if (frames.empty()) out_.stacks.back().frames.push_back(unknown());
    }
    return out_.stacks[entry->second];
  }

  FlameStacks take() { return std::move(out_); }

 private:
  uint32_t number(FlameFrame frame) {
    const auto [entry, fresh] = names_.try_emplace({frame.name, frame.file, frame.line},
                                                   static_cast<uint32_t>(out_.names.size()));
    if (fresh) out_.names.push_back(std::move(frame));
    return entry->second;
  }
  uint32_t name(const Frame& frame) { return number({frame_name(frame), frame.file, frame.line}); }
  uint32_t unknown() { return number({"(no stack)", "", 0}); }

  const Report& report_;
  FlameStacks out_;
  std::map<uint32_t, size_t> positions_;
  std::map<std::tuple<std::string, std::string, uint32_t>, uint32_t> names_;
};

}  // namespace

FlameStacks flame_stacks(const Report& report) {
  Builder builder(report);
  for (const Finding& finding : report.findings.lost) {
    for (const Share& share : finding.shares) {
      FlameStack& stack = builder.at(share.stack);
      stack.blocks += share.blocks;
      stack.bytes += share.bytes;
    }
    builder.at(finding.stack()).retained += finding.bytes;
  }
  return builder.take();
}

}  // namespace heaprake::cli
