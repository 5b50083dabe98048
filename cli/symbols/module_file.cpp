#include "cli/symbols/module_file.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>

#include <algorithm>
#include <cstdlib>

#include "cli/symbols/demangle.h"

namespace heaprake::cli {

namespace {

// Namespaces and classes nest; a damaged file may do so without end.
constexpr int kMostNesting = 64;

// A lambda's function is called "operator()".
bool is_bare(const std::string& name) {
  return name.find('(') == std::string::npos || name == "operator()";
}

const char* text_of(Dwarf_Die* die, unsigned what) {
  Dwarf_Attribute attribute;
  return dwarf_formstring(dwarf_attr_integrate(die, what, &attribute));
}

const char* linkage_name(Dwarf_Die* die) {
  const char* name = text_of(die, DW_AT_linkage_name);
  return name ? name : text_of(die, DW_AT_MIPS_linkage_name);
}

// Bare, if there is no linkage name: functions that nobody else can link with have none.
std::string name_of_function(Dwarf_Die* die) {
  if (const char* name = linkage_name(die)) return demangled(name);
  const char* name = text_of(die, DW_AT_name);
  return name ? name : "";
}

// Of a call that was inlined, or of a definition: where the function stands in the program.
Dwarf_Die declaration_of(Dwarf_Die die) {
  for (int i = 0; i < kMostNesting; ++i) {
    Dwarf_Attribute attribute;
    Dwarf_Die other;
    if (!dwarf_formref_die(dwarf_attr(&die, DW_AT_abstract_origin, &attribute), &other) &&
        !dwarf_formref_die(dwarf_attr(&die, DW_AT_specification, &attribute), &other))
      break;
    die = other;
  }
  return die;
}

// "main::<lambda()>::": the class that the function is a member of, and what that is local to.
std::string scope_of(Dwarf_Die* die, int depth = 0) {
  Dwarf_Die declaration = declaration_of(*die);
  Dwarf_Die* scopes = nullptr;
  const int count = dwarf_getscopes_die(&declaration, &scopes);
  std::string scope;
  for (int i = 1; i < count; ++i) {
    const int tag = dwarf_tag(&scopes[i]);
    if (tag == DW_TAG_subprogram) {
      const std::string outer = name_of_function(&scopes[i]);
      const bool bare = is_bare(outer) && !linkage_name(&scopes[i]) && depth < kMostNesting;
      scope.insert(0, (bare ? scope_of(&scopes[i], depth + 1) : "") + outer + "::");
      break;  // what is left is the outer one's scope
    }
    if (tag != DW_TAG_class_type && tag != DW_TAG_structure_type && tag != DW_TAG_namespace)
      continue;
    const char* name = text_of(&scopes[i], DW_AT_name);
    const char* unnamed = tag == DW_TAG_namespace ? "(anonymous namespace)" : "<lambda>";
    scope.insert(0, std::string(name ? name : unnamed) + "::");
  }
  std::free(scopes);
  return scope;
}

// Of an inlined call, for which there is no symbol that says more.
std::string full_name_of_function(Dwarf_Die* die) {
  const std::string name = name_of_function(die);
  // Rust's names are whole without parentheses.
  if (name.empty() || !is_bare(name) || linkage_name(die)) return name;
  return scope_of(die) + name;
}

uint64_t number_of(Dwarf_Die* die, unsigned what) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (dwarf_formudata(dwarf_attr(die, what, &attribute), &value) != 0) return 0;
  return value;
}

template <class Visit>
void each_range(Dwarf_Die* die, const Visit& visit) {
  Dwarf_Addr base = 0, lo = 0, hi = 0;
  for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &lo, &hi)) > 0;)
    // A function that the linker has thrown away keeps its range, at address 0.
    if (lo != 0 && lo < hi) visit(lo, hi);
}

template <class Ranges>
auto containing(const Ranges& ranges, uint64_t address) {
  auto after = std::upper_bound(ranges.begin(), ranges.end(), address,
                                [](uint64_t a, const auto& range) { return a < range.lo; });
  if (after == ranges.begin()) return ranges.end();
  --after;
  return address < after->hi ? after : ranges.end();
}

template <class Ranges>
void sort_ranges(Ranges& ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.lo < b.lo; });
}

// Global names before weak ones before local ones: the others are aliases.
int rank_of(const GElf_Sym& symbol) {
  const int binding = GELF_ST_BIND(symbol.st_info);
  return (binding == STB_GLOBAL ? 0 : binding == STB_WEAK ? 1 : 2) + (symbol.st_size == 0 ? 4 : 0);
}

// The child that spans the address, through lexical blocks down to an inlined call.
bool inlined_child(Dwarf_Die* parent, uint64_t address, int depth, Dwarf_Die* found) {
  Dwarf_Die child;
  if (depth > kMostNesting || dwarf_child(parent, &child) != 0) return false;
  do {
    const int tag = dwarf_tag(&child);
    if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_lexical_block &&
        tag != DW_TAG_try_block && tag != DW_TAG_catch_block)
      continue;
    // A lexical block need not have a range of its own.
    const int has = dwarf_haspc(&child, address);
    if (tag == DW_TAG_inlined_subroutine) {
      if (has <= 0) continue;
      *found = child;
      return true;
    }
    if (has != 0 && inlined_child(&child, address, depth + 1, found)) return true;
  } while (dwarf_siblingof(&child, &child) == 0);
  return false;
}

}  // namespace

ModuleFile::ModuleFile(const std::string& path) {
  callbacks_.find_elf = dwfl_build_id_find_elf;
  callbacks_.find_debuginfo = dwfl_standard_find_debuginfo;
  callbacks_.section_address = dwfl_offline_section_address;
  callbacks_.debuginfo_path = &debuginfo_path_;
  dwfl_ = dwfl_begin(&callbacks_);
  if (dwfl_) {
    dwfl_report_begin(dwfl_);
    // Loaded at address 0, so that its addresses are those in the file.
    module_ = dwfl_report_elf(dwfl_, path.c_str(), path.c_str(), -1, 0, true);
    dwfl_report_end(dwfl_, nullptr, nullptr);
  }
  GElf_Addr bias = 0;
  if (!module_ || !dwfl_module_getelf(module_, &bias)) {
    const char* message = dwfl_errmsg(-1);
    error_ = message ? message : "it cannot be read";
    module_ = nullptr;
  }
}

ModuleFile::~ModuleFile() {
  if (dwfl_) dwfl_end(dwfl_);
}

std::string ModuleFile::build_id() {
  const unsigned char* bits = nullptr;
  GElf_Addr address = 0;
  const int length = module_ ? dwfl_module_build_id(module_, &bits, &address) : 0;
  if (length <= 0) return "";
  return {reinterpret_cast<const char*>(bits), static_cast<size_t>(length)};
}

void ModuleFile::read_symbols() {
  if (symbols_read_) return;
  symbols_read_ = true;
  const int count = module_ ? dwfl_module_getsymtab(module_) : 0;
  for (int i = 1; i < count; ++i) {
    GElf_Sym symbol;
    GElf_Addr address = 0;
    GElf_Word section = 0;
    const char* name =
        dwfl_module_getsym_info(module_, i, &symbol, &address, &section, nullptr, nullptr);
    if (!name || !*name || section == SHN_UNDEF || section == SHN_ABS) continue;
    const int type = GELF_ST_TYPE(symbol.st_info);
    const Entry entry = {address, symbol.st_size, name, rank_of(symbol)};
    if (type == STT_FUNC || type == STT_GNU_IFUNC ||
        (type == STT_NOTYPE && section < SHN_LORESERVE))
      functions_.push_back(entry);
    if (type == STT_OBJECT) data_.push_back(entry);
  }
  for (std::vector<Entry>* table : {&functions_, &data_})
    std::sort(table->begin(), table->end(), [](const Entry& a, const Entry& b) {
      return a.address != b.address ? a.address < b.address : a.rank < b.rank;
    });
}

std::optional<FileSymbol> ModuleFile::lookup(const std::vector<Entry>& table, uint64_t address) {
  auto entry = std::upper_bound(table.begin(), table.end(), address,
                                [](uint64_t a, const Entry& e) { return a < e.address; });
  if (entry == table.begin()) return std::nullopt;
  --entry;
  while (entry != table.begin() && std::prev(entry)->address == entry->address) --entry;
  // A symbol of hand-written code has no size: it reaches to the next one.
  if (entry->size != 0 && address - entry->address >= entry->size) return std::nullopt;
  return FileSymbol{entry->address, entry->size, demangled(entry->name)};
}

std::optional<FileSymbol> ModuleFile::function(uint64_t address) {
  read_symbols();
  return lookup(functions_, address);
}

std::optional<FileSymbol> ModuleFile::data(uint64_t address) {
  read_symbols();
  std::optional<FileSymbol> symbol = lookup(data_, address);
  return symbol && symbol->size != 0 ? symbol : std::nullopt;
}

void ModuleFile::read_units() {
  if (units_read_) return;
  units_read_ = true;
  if (!module_ || !dwfl_module_getdwarf(module_, &dwarf_bias_)) return;
  Dwarf_Addr bias = 0;
  for (Dwarf_Die* unit = nullptr; (unit = dwfl_module_nextcu(module_, unit, &bias));) {
    const size_t index = units_.size();
    const size_t before = unit_ranges_.size();
    each_range(unit, [&](uint64_t lo, uint64_t hi) { unit_ranges_.push_back({lo, hi, index}); });
    if (unit_ranges_.size() == before) continue;
    units_.emplace_back().die = *unit;
  }
  sort_ranges(unit_ranges_);
}

void ModuleFile::add_functions(Unit& unit, Dwarf_Die* parent, int depth) {
  Dwarf_Die child;
  if (depth > kMostNesting || dwarf_child(parent, &child) != 0) return;
  do {
    switch (dwarf_tag(&child)) {
      case DW_TAG_subprogram: {
        const size_t index = unit.functions.size();
        const size_t before = unit.ranges.size();
        each_range(&child, [&](uint64_t lo, uint64_t hi) {
          unit.ranges.push_back({lo, hi, index});
        });
        if (unit.ranges.size() != before) unit.functions.push_back(child);
        break;
      }
      case DW_TAG_namespace:
      case DW_TAG_module:
      case DW_TAG_class_type:
      case DW_TAG_structure_type:
      case DW_TAG_union_type:
        add_functions(unit, &child, depth + 1);
        break;
      default:
        break;
    }
  } while (dwarf_siblingof(&child, &child) == 0);
}

void ModuleFile::read_functions(Unit& unit) {
  if (unit.read) return;
  unit.read = true;
  add_functions(unit, &unit.die, 0);
  sort_ranges(unit.ranges);
}

// From the outermost function inwards; each level says where it calls the next.
std::vector<SourcePlace> ModuleFile::inlined_calls(Unit& unit, Dwarf_Die function,
                                                   uint64_t address) {
  std::vector<SourcePlace> places(1);
  places.back().function = name_of_function(&function);
  Dwarf_Files* files = nullptr;
  size_t count = 0;
  dwarf_getsrcfiles(&unit.die, &files, &count);
  Dwarf_Die at = function, call;
  for (int depth = 0; depth < kMostNesting && inlined_child(&at, address, 0, &call); ++depth) {
    const uint64_t file = number_of(&call, DW_AT_call_file);
    const char* path =
        files && file < count ? dwarf_filesrc(files, file, nullptr, nullptr) : nullptr;
    places.back().file = path ? path : "";
    places.back().line = static_cast<uint32_t>(number_of(&call, DW_AT_call_line));
    places.emplace_back();
    places.back().function = full_name_of_function(&call);
    at = call;
  }
  return places;
}

std::vector<SourcePlace> ModuleFile::places(uint64_t address) {
  read_units();
  const uint64_t inside = address - dwarf_bias_;
  const auto range = containing(unit_ranges_, inside);
  std::vector<SourcePlace> places(1);
  if (range != unit_ranges_.end()) {
    Unit& unit = units_[range->index];
    read_functions(unit);
    const auto function = containing(unit.ranges, inside);
    if (function != unit.ranges.end())
      places = inlined_calls(unit, unit.functions[function->index], inside);
    if (Dwarf_Line* line = dwarf_getsrc_die(&unit.die, inside)) {
      const char* file = dwarf_linesrc(line, nullptr, nullptr);
      int number = 0;
      dwarf_lineno(line, &number);
      places.back().file = file ? file : "";
      places.back().line = static_cast<uint32_t>(number);
    }
    std::reverse(places.begin(), places.end());
  }
  // A static function's debug information has its bare name; its symbol says more. (Any symbol will
  // do where there is no name; but a symbol may also be that of an identical function.)
  std::string& name = places.back().function;
  if (is_bare(name)) {
    const std::optional<FileSymbol> symbol = function(address);
    if (symbol && symbol->name.find(name) != std::string::npos) name = symbol->name;
  }
  if (places.size() == 1 && places[0].function.empty() && places[0].file.empty()) return {};
  return places;
}

}  // namespace heaprake::cli
