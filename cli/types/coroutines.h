// A coroutine's frame begins with the addresses of two functions: what goes on with it, and what
// destroys it. GCC calls them f.actor and f.destroy, Clang f.resume and f.destroy.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "cli/snapshot/snapshot.h"
#include "cli/symbols/module_files.h"

namespace heaprake::cli {

struct Coroutine {
  enum class Kind : uint8_t {
    kNone,
    // Two neighbouring functions of a module without names, or one where the first is gone: one of
    // GCC's if the block has its own address, too. Else it is a pair of callbacks more likely than
    // one of Clang's.
    kNameless,
    kGccs,  // the frame has its own address, too
    kClangs
  };
  Kind kind = Kind::kNone;
  std::string name;  // "coroutine frame of co(int)"
};

// One thread at a time; the snapshot must outlive it.
class Coroutines {
 public:
  Coroutines(const Snapshot& snapshot, SharedFiles files);

  // By the first two words of a block; the first is 0 when the coroutine has finished.
  const Coroutine& with(uint64_t resume, uint64_t destroy);

 private:
  Coroutine look_up(uint64_t resume, uint64_t destroy) const;

  const Snapshot& snapshot_;
  const SharedFiles files_;
  std::map<std::pair<uint64_t, uint64_t>, Coroutine> known_;
};

// "libfoo.so+0x1290" of an address in code; "" if it is in no module.
std::string place_in_code(const Snapshot& snapshot, uint64_t address);

// Of the demangled names of the two, the first "" if it is gone.
Coroutine coroutine_of(const std::string& resume, const std::string& destroy);

}  // namespace heaprake::cli
