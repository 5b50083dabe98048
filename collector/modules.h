// The program and its libraries as they are loaded now, read from the list of mappings and the ELF
// headers in memory: neither the loader's lock nor its lists are needed.
//
// gather() under the collector's lock, by whoever may read the process's memory; then the rest.
#pragma once

#include "collector/mapped_array.h"
#include "platform/platform.h"

namespace heaprake::collector {

struct LoadedModule {
  static constexpr size_t kMostId = 32;
  platform::Range range;  // from its first segment to the end of its last
  uintptr_t load;         // what to add to an address in its file
  const char* path;       // interned
  bool program;
  bool code;  // a mapping of it is executable: it has been loaded, not merely read
  uint8_t id_length;
  uint8_t id[kMostId];
};

// Where the module ends whose first byte is at `start`, as its own headers have it; 0: none begins
// there.
uintptr_t end_of_module(const platform::AddressSpace& space, uintptr_t start);

class Modules {
 public:
  ~Modules() { list_.shrink(0); }
  // false: out of memory, or the list of mappings could not be read.
  bool gather(const platform::AddressSpace& space);
  // In address order.
  const MappedArray<LoadedModule>& list() const { return list_; }
  // Position of the module that contains the address, or list().size().
  size_t find(uintptr_t address) const;

 private:
  bool note(const platform::AddressSpace& space, const platform::Mapping& mapping);
  MappedArray<LoadedModule> list_;
};

}  // namespace heaprake::collector
