// Names for addresses: functions, files and lines, from a module's own tables, its debug
// information, or a separate debug file found by build id (libdw's search). Keeps the places that
// it has found, and the last few thousand stacks; one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/snapshot/snapshot.h"
#include "cli/symbols/module_files.h"

namespace heaprake::cli {

struct Frame {
  std::string function;  // demangled, "" if unknown
  std::string file;      // "" if there is no line table
  uint32_t line = 0;
  std::string module;  // path; "" if in none
  bool module_closed = false;
  uint64_t offset = 0;   // from the module's load address; in no module: the address
  bool inlined = false;  // into the frame that follows
};

struct Symbol {
  std::string name;     // demangled
  uint64_t offset = 0;  // of the address, from the symbol's start
};

class Symbols {
 public:
  // The snapshot must outlive it.
  explicit Symbols(const Snapshot& snapshot, SharedFiles files = nullptr);
  ~Symbols();
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;

  // Innermost first, inlined calls included. Without the frames of the allocation functions
  // themselves (malloc, operator new, libheaprake.so). Good until some thousand others have been
  // asked for.
  const std::vector<Frame>& stack(uint32_t id);
  // The data symbol that contains an offset from the module's load address.
  std::optional<Symbol> data(uint32_t module, uint64_t offset);
  // "cache_ in libfoo.so + 16", "stack of thread 7 (worker)", "register of ...": for any reference.
  std::string describe(const RootReference& root);
  // Sentences without full stops: why some names could not be told, each file once.
  const std::vector<std::string>& notes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace heaprake::cli
