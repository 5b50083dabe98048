// What forked children of a hunt have lost of what they inherited. A block that was lost before the
// fork is lost in every one of them: that is for the process to tell that allocated it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <tuple>

#include "cli/hunt_files.h"
#include "cli/snapshot/snapshot.h"

namespace heaprake::cli {

class Inherited {
 public:
  // Reads what the processes have left behind, those that cannot be read excepted.
  explicit Inherited(const HuntFiles& files);

  // Has those blocks count as reachable that another process tells of. Returns how many inherited
  // ones are left that this process alone has lost.
  uint64_t leave_to_others(Snapshot* snapshot) const;

 private:
  // Where, how long and when: the same in the process that allocated it and in those forked later.
  using Key = std::tuple<uint64_t, uint64_t, uint32_t>;
  static Key key(const Snapshot& snapshot, uint32_t block);

  std::set<Key> told_;  // lost by the process that allocated them
};

}  // namespace heaprake::cli
