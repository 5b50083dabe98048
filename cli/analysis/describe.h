// A finding's example: what its members are, and what their counts say; wording.h finds the words.
#pragma once

#include <cstdint>
#include <vector>

#include "cli/analysis/container_kinds.h"
#include "cli/analysis/finding.h"
#include "cli/analysis/structures.h"
#include "cli/types/fields.h"
#include "cli/types/types.h"

namespace heaprake::cli {

class Describer {
 public:
  // All of these must outlive it.
  Describer(const Snapshot& snapshot, const Types& types, Fields& fields,
            const Structures& structures, SharedFiles files);

  // At most `limit` members.
  void describe(const Structure& structure, uint32_t limit, Finding* finding);

 private:
  class One;
  const Snapshot& snapshot_;
  const Types& types_;
  Fields& fields_;
  ContainerKinds kinds_;
  const Structures& structures_;
  struct References {
    uint32_t all = 0, to_start = 0;
  };
  std::vector<References> references_;  // to each node, from nodes
};

}  // namespace heaprake::cli
