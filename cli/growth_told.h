// What has grown between two snapshots, and what was lost meanwhile, told: by `heaprake diff`, by
// `heaprake report PID --growth`, and by a hunt between its checks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/analysis/finding.h"
#include "cli/analysis/growth.h"
#include "cli/analysis/paths.h"
#include "cli/json_writer.h"
#include "cli/opened.h"

namespace heaprake::cli {

class GrowthTold {
 public:
  static constexpr uint64_t kUsualTop = 10;

  // Both must have all blocks; the later one must outlive it. At most `top` sites, types and leaks
  // are told.
  GrowthTold(const Opened& before, const Opened& after, uint64_t top,
             const Progress& progress = {});

  // With the next command about the later snapshot, if `file` names it.
  std::string text(const std::string& file = "");
  std::string json();  // the schema "heaprake-diff/1"

 private:
  struct List {
    const char* title;
    const std::vector<Growth>& growths;
  };
  std::string name_of(const Growth& growth) const;
  std::string holder(const Growth& growth);
  void add_growths(const List& list, std::string* text);
  void add_leaks(std::string* text) const;
  void write_growths(JsonWriter& json, std::string_view name, const std::vector<Growth>& growths);

  const Opened& after_;
  const uint64_t top_;
  GrowthReport growth_;
  Findings lost_before_, lost_after_;
  std::vector<NewLeak> leaks_;  // of lost_after_
  std::optional<Paths> paths_;  // of the later snapshot, once one is asked for
};

}  // namespace heaprake::cli
