// The world, stopped, and its roots: for the length of one scope.
//
// Construct it with the collector's lock held and signals blocked; if ok() is false the world runs
// and nothing may be concluded. resume() ends it early; the destructor otherwise.
#pragma once

#include "collector/roots.h"
#include "platform/platform.h"

namespace heaprake::collector {

class StoppedWorld {
 public:
  StoppedWorld(const platform::StoppedThread& self, RootSet& roots, bool with_names);
  ~StoppedWorld() { resume(); }
  StoppedWorld(const StoppedWorld&) = delete;
  StoppedWorld& operator=(const StoppedWorld&) = delete;

  bool ok() const { return ok_; }
  // Why not, in a few words.
  const char* problem() const { return problem_; }
  // It will be the same the next time.
  bool lasting() const { return lasting_; }
  const platform::AddressSpace& space() const { return space_; }
  const platform::World& world() const { return world_; }
  uint64_t began_ns() const { return began_ns_; }
  void resume();

 private:
  uint64_t began_ns_;
  platform::World world_{};
  platform::AddressSpace space_;
  bool stopped_ = false;
  bool opened_ = false;
  bool ok_ = false;
  bool lasting_ = false;
  const char* problem_ = "";
};

}  // namespace heaprake::collector
