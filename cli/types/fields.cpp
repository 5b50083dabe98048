#include "cli/types/fields.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

namespace heaprake::cli {

namespace {

// Namespaces, classes and fields nest; a damaged file may do so without end.
constexpr int kMostNesting = 32;

bool is_class(int tag) {
  return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

std::string name_of_die(Dwarf_Die* die) {
  const char* name = dwarf_diename(die);
  return name ? name : "";
}

bool number_of(Dwarf_Die* die, unsigned what, uint64_t* number) {
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (dwarf_formudata(dwarf_attr(die, what, &attribute), &value) != 0) return false;
  *number = value;
  return true;
}

// The type of a member without typedefs and qualifiers.
bool type_of(Dwarf_Die* die, Dwarf_Die* type) {
  Dwarf_Attribute attribute;
  Dwarf_Die named;
  return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), &named) &&
         dwarf_peel_type(&named, type) == 0;
}

uint64_t size_of_class(Dwarf_Die* type) {
  Dwarf_Word size = 0;
  return dwarf_aggregate_size(type, &size) == 0 ? size : 0;
}

// Names that the C++ library keeps for itself.
bool is_internal(const std::string& name) {
  return name.starts_with("_M_") || name.starts_with("__") || name.starts_with("_Vptr");
}

// "weak_ptr<T>", or "weak_ptr" where the compiler has left the arguments out.
bool is_template_called(const std::string& name, std::string_view wanted) {
  return name.starts_with(wanted) && (name.size() == wanted.size() || name[wanted.size()] == '<');
}

void note_pointer(Dwarf_Die* type, SmartPointer* pointer) {
  const std::string name = name_of_die(type);
  if (is_template_called(name, "weak_ptr") || is_template_called(name, "__weak_ptr"))
    *pointer = SmartPointer::kWeak;
  else if (is_template_called(name, "shared_ptr") || is_template_called(name, "__shared_ptr"))
    *pointer = SmartPointer::kShared;
}

void note_container(Dwarf_Die* type, std::string* container) {
  const std::string name = name_of_die(type);
  for (std::string_view kind : {"map", "set", "multimap", "multiset", "unordered_map",
                                "unordered_set", "unordered_multimap", "unordered_multiset"})
    if (is_template_called(name, kind)) *container = "std::" + std::string(kind);
}

// What is known of a place.
struct Found {
  std::string path;
  SmartPointer pointer = SmartPointer::kUnknown;
  std::string container;
};

bool field_in_class(Dwarf_Die* type, uint64_t offset, int depth, Found* found);

// Goes on inside a field of that type.
void field_in_field(Dwarf_Die* type, uint64_t offset, int depth, Found* found) {
  if (depth > kMostNesting) return;
  if (dwarf_tag(type) == DW_TAG_array_type) {
    Dwarf_Die element;
    const uint64_t size = type_of(type, &element) ? size_of_class(&element) : 0;
    if (size == 0) return;
    found->path += "[" + std::to_string(offset / size) + "]";
    field_in_field(&element, offset % size, depth + 1, found);
  } else if (dwarf_tag(type) == DW_TAG_pointer_type) {
    if (found->pointer == SmartPointer::kUnknown) found->pointer = SmartPointer::kPlain;
  } else if (is_class(dwarf_tag(type))) {
    std::string outside = std::move(found->path);
    found->path.clear();
    if (field_in_class(type, offset, depth + 1, found) && !found->path.empty())
      outside += "." + found->path;
    found->path = std::move(outside);
  }
}

// False if no field is there.
bool field_in_class(Dwarf_Die* type, uint64_t offset, int depth, Found* found) {
  Dwarf_Die child;
  note_pointer(type, &found->pointer);
  note_container(type, &found->container);
  if (depth > kMostNesting || dwarf_child(type, &child) != 0) return false;
  const bool is_union = dwarf_tag(type) == DW_TAG_union_type;
  do {
    const int tag = dwarf_tag(&child);
    if (tag != DW_TAG_member && tag != DW_TAG_inheritance) continue;
    uint64_t start = 0;
    // A static member has no place; a virtual base has one that only the object knows.
    if (!number_of(&child, DW_AT_data_member_location, &start) && !is_union) continue;
    Dwarf_Die inner;
    if (!type_of(&child, &inner)) continue;
    if (offset < start || offset - start >= size_of_class(&inner)) continue;
    if (tag == DW_TAG_inheritance) {
      // Empty bases share the place of what follows.
      if (field_in_class(&inner, offset - start, depth + 1, found)) return true;
      continue;
    }
    const std::string name = name_of_die(&child);
    if (is_internal(name)) {
      note_pointer(&inner, &found->pointer);
      return true;
    }
    found->path += name;
    field_in_field(&inner, offset - start, depth, found);
    return true;
  } while (dwarf_siblingof(&child, &child) == 0);
  return false;
}

}  // namespace

struct Fields::Classes {
  // Every class that is defined outside functions, by its full name; the first one of a name.
  explicit Classes(ModuleFile& file) {
    Dwarf_Addr bias = 0;
    for (Dwarf_Die* unit = nullptr; (unit = dwfl_module_nextcu(file.module(), unit, &bias));)
      add_children(unit, "", 0);
  }

  void add_children(Dwarf_Die* parent, const std::string& scope, int depth) {
    Dwarf_Die child;
    if (depth > kMostNesting || dwarf_child(parent, &child) != 0) return;
    do {
      const int tag = dwarf_tag(&child);
      if (tag != DW_TAG_namespace && !is_class(tag)) continue;
      std::string name = name_of_die(&child);
      if (tag == DW_TAG_namespace && name.empty()) name = "(anonymous namespace)";
      if (name.empty()) continue;
      const std::string full = scope.empty() ? name : scope + "::" + name;
      if (is_class(tag) && !dwarf_hasattr(&child, DW_AT_declaration)) by_name.emplace(full, child);
      add_children(&child, full, depth + 1);
    } while (dwarf_siblingof(&child, &child) == 0);
  }

  std::unordered_map<std::string, Dwarf_Die> by_name;
};

Fields::Fields(const Snapshot& snapshot, SharedFiles files)
    : files_(or_own(std::move(files), snapshot)) {}

Fields::~Fields() = default;

Fields::Classes* Fields::classes(uint32_t module) {
  const auto [found, fresh] = modules_.try_emplace(module);
  if (!fresh) return found->second.get();
  if (ModuleFile* file = files_->names(module)) found->second = std::make_unique<Classes>(*file);
  return found->second.get();
}

const Fields::Field& Fields::find(const Type& type, uint64_t offset) {
  const auto [known, fresh] = known_.try_emplace(type.full_name + "+" + std::to_string(offset));
  Field& field = known->second;
  if (!fresh || type.full_name.empty() || type.module == UINT32_MAX) return field;
  Classes* classes = this->classes(type.module);
  if (!classes) return field;
  const auto found = classes->by_name.find(type.full_name);
  if (found == classes->by_name.end()) return field;
  Found place;
  field_in_class(&found->second, offset, 0, &place);
  field = {std::move(place.path), place.pointer, std::move(place.container)};
  return field;
}

const std::string& Fields::at(const Type& type, uint64_t offset) {
  return find(type, offset).path;
}

const std::string& Fields::container_at(const Type& type, uint64_t offset) {
  return find(type, offset).container;
}

uint64_t Fields::size_of(uint32_t module, const std::string& full_name) {
  Classes* classes = module == UINT32_MAX ? nullptr : this->classes(module);
  if (!classes) return 0;
  const auto found = classes->by_name.find(full_name);
  return found == classes->by_name.end() ? 0 : size_of_class(&found->second);
}

SmartPointer Fields::pointer_at(const Type& type, uint64_t offset) {
  return find(type, offset).pointer;
}

}  // namespace heaprake::cli
