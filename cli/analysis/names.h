// What blocks and fields are called, for those who tell of them.
#pragma once

#include "cli/snapshot/snapshot.h"
#include "cli/symbols/symbols.h"
#include "cli/types/fields.h"
#include "cli/types/types.h"

namespace heaprake::cli {

struct Names {
  const Snapshot& snapshot;
  const Types& types;
  Symbols& symbols;
  Fields& fields;
};

}  // namespace heaprake::cli
