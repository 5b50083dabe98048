#include "cli/report/flame.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "cli/report/frames.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

class Builder {
 public:
  explicit Builder(const Report& report) : report_(report) {}

  FlameStack& at(uint32_t stack) {
    const auto [entry, fresh] = positions_.try_emplace(stack, 0);
    if (fresh) entry->second = position_of(frames_of(stack));
    return out_.stacks[entry->second];
  }

  FlameStacks take() { return std::move(out_); }

 private:
  std::vector<uint32_t> frames_of(uint32_t stack) {
    const std::vector<Frame>& frames = stack_of(report_, stack);
    std::vector<uint32_t> numbers;
    numbers.reserve(frames.size());
    for (size_t i = frames.size(); i-- > 0;) numbers.push_back(name(frames[i]));
    if (numbers.empty()) numbers.push_back(unknown());
    return numbers;
  }

  // Stacks with the same frames are one, whatever the addresses of their calls.
  size_t position_of(std::vector<uint32_t> frames) {
    const auto [entry, fresh] = same_.try_emplace(std::move(frames), out_.stacks.size());
    if (fresh) out_.stacks.emplace_back().frames = entry->first;
    return entry->second;
  }

  uint32_t number(FlameFrame frame) {
    const auto [entry, fresh] = names_.try_emplace({frame.name, frame.file, frame.line},
                                                   static_cast<uint32_t>(out_.names.size()));
    if (fresh) out_.names.push_back(std::move(frame));
    return entry->second;
  }
  // Of a million stacks most frames are the same few: their names are not made anew each time.
  uint32_t name(const Frame& frame) {
    const uint64_t key = frame.offset * 31 + frame.line;
    const auto [begin, end] = known_.equal_range(key);
    for (auto at = begin; at != end; ++at) {
      const Frame& known = at->second.first;
      if (known.line == frame.line && known.offset == frame.offset &&
          known.function == frame.function && known.file == frame.file &&
          known.module == frame.module)
        return at->second.second;
    }
    const uint32_t result = number({frame_name(frame), frame.file, frame.line});
    known_.emplace(key, std::pair(frame, result));
    return result;
  }
  uint32_t unknown() { return number({"(no stack)", "", 0}); }

  const Report& report_;
  FlameStacks out_;
  std::unordered_multimap<uint64_t, std::pair<Frame, uint32_t>> known_;
  std::unordered_map<uint32_t, size_t> positions_;
  std::map<std::vector<uint32_t>, size_t> same_;
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

void keep_largest(size_t most, FlameStacks* flame) {
  if (flame->stacks.size() <= most) return;
  const auto middle = flame->stacks.begin() + static_cast<ptrdiff_t>(most);
  std::nth_element(flame->stacks.begin(), middle, flame->stacks.end(),
                   [](const FlameStack& a, const FlameStack& b) {
                     return std::tie(b.bytes, b.retained, b.blocks, a.frames) <
                            std::tie(a.bytes, a.retained, a.blocks, b.frames);
                   });
  FlameStack rest;
  for (auto stack = middle; stack != flame->stacks.end(); ++stack) {
    rest.blocks += stack->blocks;
    rest.bytes += stack->bytes;
    rest.retained += stack->retained;
  }
  rest.frames = {static_cast<uint32_t>(flame->names.size())};
  flame->names.push_back({"(" + grouped(flame->stacks.size() - most) + " smaller stacks)", "", 0});
  flame->stacks.erase(middle, flame->stacks.end());
  flame->stacks.push_back(std::move(rest));
}

}  // namespace heaprake::cli
