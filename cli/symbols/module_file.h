// One ELF file and its debug information, asked by address. Addresses are the file's own: the
// snapshot's offsets from the load address.
#pragma once

#include <elfutils/libdwfl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace heaprake::cli {

struct SourcePlace {
  std::string function;  // demangled, "" if unknown
  std::string file;      // "" if there is no line table
  uint32_t line = 0;
};

struct FileSymbol {
  uint64_t address = 0, size = 0;
  std::string name;  // demangled
};

// One thread at a time. Tables are made when they are first needed.
class ModuleFile {
 public:
  // Throws nothing: a file that cannot be read is one that knows nothing, and error() says why.
  explicit ModuleFile(const std::string& path);
  ~ModuleFile();
  ModuleFile(const ModuleFile&) = delete;
  ModuleFile& operator=(const ModuleFile&) = delete;

  const std::string& error() const { return error_; }  // "" if the file could be opened
  std::string build_id();                              // raw bytes, "" if it has none

  // Innermost first: calls that were inlined there, then the function itself. Empty if nothing is
  // known.
  std::vector<SourcePlace> places(uint64_t address);
  std::optional<FileSymbol> function(uint64_t address);
  std::optional<FileSymbol> data(uint64_t address);

  // For those who ask libdw themselves; null if the file could not be opened.
  Dwfl_Module* module() { return module_; }

 private:
  struct Entry {
    uint64_t address, size;
    const char* name;
    int rank;  // of names for one address: the lower, the better
  };
  struct Range {
    uint64_t lo, hi;
    size_t index;  // of what spans it
  };
  struct Unit {
    Dwarf_Die die;
    std::vector<Range> ranges;  // of `functions`; filled at first use
    std::vector<Dwarf_Die> functions;
    bool read = false;
  };

  void read_symbols();
  void read_units();
  void read_functions(Unit& unit);
  void add_functions(Unit& unit, Dwarf_Die* parent, int depth);
  static std::optional<FileSymbol> lookup(const std::vector<Entry>& table, uint64_t address);
  std::vector<SourcePlace> inlined_calls(Unit& unit, Dwarf_Die function, uint64_t address);

  std::string error_;
  Dwfl_Callbacks callbacks_{};
  char* debuginfo_path_ = nullptr;
  Dwfl* dwfl_ = nullptr;
  Dwfl_Module* module_ = nullptr;
  Dwarf_Addr dwarf_bias_ = 0;
  bool symbols_read_ = false, units_read_ = false;
  std::vector<Entry> functions_, data_;  // by address
  std::vector<Unit> units_;
  std::vector<Range> unit_ranges_;  // by lo
};

}  // namespace heaprake::cli
