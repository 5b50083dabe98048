// What the commands about snapshots work on: a file, or a running process asked for one.
#pragma once

#include <memory>
#include <string>

#include "cli/analysis/paths.h"
#include "cli/progress.h"
#include "cli/snapshot/snapshot.h"
#include "cli/symbols/symbols.h"
#include "cli/types/fields.h"
#include "cli/types/types.h"

namespace heaprake::cli {

struct Opened {
  std::unique_ptr<const Snapshot> snapshot;
  SharedFiles files;
  Types types;
  std::unique_ptr<Symbols> symbols;
  std::unique_ptr<Fields> fields;
  Names names() const { return {*snapshot, types, *symbols, *fields}; }
};

// A number is a process, unless there is a file of that name. Throws a Failure.
Opened open_snapshot(const std::string& subject, const Progress& progress);

// Throws a Failure (kExitFailure) if the snapshot has the lost blocks only: `what` needs all.
void need_all(const Opened& opened, const std::string& subject, const std::string& what);

}  // namespace heaprake::cli
