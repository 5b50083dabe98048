// LeakSanitizer's options, as far as they concern a report: those that scripts around it rely on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heaprake::cli {

struct LsanOptions {
  std::optional<int> exitcode;            // when something is lost
  std::optional<uint64_t> max_leaks;      // to be told in full; 0: all
  std::vector<std::string> suppressions;  // files
  bool print_suppressions = true;
  bool report_objects = false;  // in LeakSanitizer's text: every lost block's address

  // From "name=value:name=value", which comes later and counts more than what is known already.
  // Names that it does not have, and values that make no sense, count for nothing: there are many
  // more options, and the same text goes to other sanitizers.
  void read(std::string_view text);

 private:
  void set(std::string_view name, std::string_view value);
};

}  // namespace heaprake::cli
