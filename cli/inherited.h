// What forked children of a hunt have lost of what they inherited. A block that was lost before the
// fork is lost in every process that was forked later: that is for the first of them to tell.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "cli/hunt_files.h"
#include "cli/snapshot/snapshot.h"

namespace heaprake::cli {

class Inherited {
 public:
  // Reads what the processes have left behind, those that cannot be read excepted. `program`, whose
  // snapshot may be large and which has inherited nothing, only if another one has lost something
  // that it inherited.
  Inherited(const HuntFiles& files, pid_t program);

  // Has those blocks of the process's snapshot count as reachable that another process tells of.
  // Returns a sentence about each process that inherited ones which are left came from.
  std::vector<std::string> leave_to_others(pid_t pid, Snapshot* snapshot) const;

 private:
  // Where, how long and when: the same in the process that allocated it and in those forked later.
  using Key = std::tuple<uint64_t, uint64_t, uint32_t>;
  static Key key(const Snapshot& snapshot, uint32_t block);

  // One that could be read.
  struct Process {
    pid_t pid;
    // Number of each thread by its id. Those of the processes that it was forked from are among
    // them, and numbers are in the order of time: a thread that forks gets a new one in the child.
    std::map<uint32_t, uint32_t> threads;
    std::vector<size_t> elders;  // those processes, ascending
  };
  void read(const HuntFiles& files, pid_t pid);
  uint32_t number_of(size_t elder, size_t process) const;
  std::vector<size_t> elders_of(size_t process) const;
  size_t nearest_owner(size_t process, const Snapshot& snapshot, uint32_t block) const;
  bool is_told(size_t process, const Snapshot& snapshot, uint32_t block) const;

  static constexpr size_t kNone = SIZE_MAX;
  std::vector<Process> processes_;  // by id
  // Which of them have lost a block that one of them has inherited.
  std::map<Key, std::vector<size_t>> losers_;
};

}  // namespace heaprake::cli
