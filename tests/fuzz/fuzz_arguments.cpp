// Command lines (words end at newlines): taken apart, or one sentence; operands are never lost.
#include <cstdlib>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/failure.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace heaprake::cli;
  std::vector<std::string> words(1);
  for (size_t i = 0; i < size; ++i) {
    if (data[i] == '\n') {
      words.emplace_back();
    } else if (data[i] != 0) {
      words.back() += static_cast<char>(data[i]);
    }
  }
  const std::vector<OptionSpec> specs = {{"stats", Takes::kOptional, "FILE", "."},
                                         {"output", Takes::kValue, "FILE", ".", 'o'},
                                         {"force", Takes::kNothing, "", "."}};
  for (Order order : {Order::kMixed, Order::kProgramFirst}) {
    try {
      const Arguments arguments = parse_arguments(specs, order, words);
      if (arguments.operands.size() > words.size()) std::abort();
    } catch (const Failure& failure) {
      if (failure.message.empty() || failure.status != kExitUsage) std::abort();
    }
  }
  return 0;
}
