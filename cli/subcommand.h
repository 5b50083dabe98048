// One subcommand: what it is called, what it takes, what its help says, and what it does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.h"

namespace heaprake::cli {

struct Subcommand {
  std::string_view name;
  std::string_view usage;    // what follows "heaprake NAME"
  std::string_view summary;  // its line in `heaprake --help`
  std::string_view help;     // what stands below the options: examples, exit statuses
  Order order;
  std::vector<OptionSpec> (*options)();
  int (*execute)(const Arguments& arguments);  // returns the exit status, or throws a Failure
};

extern const Subcommand kRun;
extern const Subcommand kHunt;
extern const Subcommand kPs;
extern const Subcommand kCollect;
extern const Subcommand kStats;
extern const Subcommand kObjects;
extern const Subcommand kSnapshot;
extern const Subcommand kReport;
extern const Subcommand kWhy;
extern const Subcommand kDiff;

const std::vector<const Subcommand*>& subcommands();

// `heaprake NAME --help`.
std::string help_of(const Subcommand& subcommand);

// The whole command: argv without its first word.
int run_command(const std::vector<std::string>& words);

}  // namespace heaprake::cli
