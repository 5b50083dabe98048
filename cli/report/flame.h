// Leaked amounts by stack, for everything that draws flame graphs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/report/report.h"

namespace heaprake::cli {

// Frames are numbers in FlameStacks::names, outermost first.
struct FlameStack {
  std::vector<uint32_t> frames;
  uint64_t blocks = 0, bytes = 0;  // allocated there and leaked
  uint64_t retained = 0;           // lost together with the roots that were allocated there
};

struct FlameFrame {
  std::string name;
  std::string file;
  uint32_t line = 0;
};

struct FlameStacks {
  std::vector<FlameFrame> names;
  std::vector<FlameStack> stacks;  // sums of bytes and of retained are each the report's bytes
};

FlameStacks flame_stacks(const Report& report);
// Makes one of all but the largest, so that the sums stay.
void keep_largest(size_t most, FlameStacks* flame);

}  // namespace heaprake::cli
