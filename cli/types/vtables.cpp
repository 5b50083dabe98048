#include "cli/types/vtables.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace heaprake::cli {

namespace {

constexpr size_t kMostName = 1 << 14;

bool is_mangled_type(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '$' || c == '.';
  });
}

// A type as mangled, "" if it is none.
std::string demangled_type(std::string name) {
  // Types that other files cannot name are marked so.
  if (!name.empty() && name[0] == '*') name.erase(0, 1);
  if (!is_mangled_type(name)) return "";
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  // One letter is a builtin type, which has no vtable.
  return status == 0 && text && name.size() > 1 ? std::string(text.get()) : "";
}

std::string type_of_symbol(const std::string& symbol, const char* prefix) {
  return symbol.starts_with(prefix) ? demangled_type(symbol.substr(4)) : "";
}

std::string type_at(const ElfImage& image, const ElfImage::Word& typeinfo) {
  std::string type = type_of_symbol(typeinfo.symbol, "_ZTI");
  if (!type.empty() || typeinfo.value == 0) return type;
  // Its own vtable is one of three in the C++ library; where that is linked in, it has no symbol.
  const std::optional<ElfImage::Word> kind = image.word(typeinfo.value);
  if (!kind || (!kind->symbol.empty() && kind->symbol.find("class_type_info") == std::string::npos))
    return "";
  const std::optional<ElfImage::Word> name = image.word(typeinfo.value + 8);
  if (!name) return "";
  type = type_of_symbol(name->symbol, "_ZTS");
  if (!type.empty() || name->value == 0) return type;
  const std::optional<std::string> text = image.text(name->value, kMostName);
  return text ? demangled_type(*text) : "";
}

}  // namespace

Vtables::Vtables(const Snapshot& snapshot, SharedFiles files)
    : snapshot_(snapshot), files_(or_own(std::move(files), snapshot)) {
  for (uint32_t i = 0; i < snapshot.modules.size(); ++i) {
    const Module& module = snapshot.modules[i];
    if (module.flags & HEAPRAKE_MODULE_LOADED) places_.push_back({module.lo, module.hi, i});
  }
  std::sort(places_.begin(), places_.end(),
            [](const Place& a, const Place& b) { return a.lo < b.lo; });
  if (places_.empty()) return;
  lowest_ = places_.front().lo;
  for (const Place& place : places_) highest_ = std::max(highest_, place.hi);
}

uint32_t Vtables::module_at(uint64_t address) const {
  const auto after = std::upper_bound(places_.begin(), places_.end(), address,
                                      [](uint64_t place, const Place& p) { return place < p.lo; });
  if (after == places_.begin()) return UINT32_MAX;
  return address < after[-1].hi ? after[-1].module : UINT32_MAX;
}

std::string Vtables::look_up(uint64_t word) {
  const uint32_t module = module_at(word);
  if (module == UINT32_MAX || word % 8 != 0) return "";
  const ElfImage* image = files_->image(module);
  if (!image) return "";
  const uint64_t address = word - snapshot_.modules[module].load;
  uint64_t offset = 0;
  const std::string copied = image->copied_symbol(address, &offset);
  // Two words stand before the first virtual function.
  if (!copied.empty()) return offset == 16 ? type_of_symbol(copied, "_ZTV") : "";
  if (!image->is_constant(address - 8)) return "";
  const std::optional<ElfImage::Word> top = image->word(address - 16);
  const std::optional<ElfImage::Word> typeinfo = image->word(address - 8);
  // A distance from the object's start other than 0: it is a base's, in the middle of an object.
  if (!top || !typeinfo || !top->symbol.empty() || top->value != 0) return "";
  return type_at(*image, *typeinfo);
}

const std::string& Vtables::class_at(uint64_t word) {
  const auto [found, fresh] = known_.try_emplace(word);
  if (fresh) found->second = look_up(word);
  return found->second;
}

namespace {

// std::type_info, then what its class (one of three) adds; the ABI gives the layout:
//   __si_class_type_info    the base's typeinfo
//   __vmi_class_type_info   flags and count (four bytes each), then so many pairs of a base's
//                           typeinfo and its offset << 8 | flags (1: it is virtual)
class Bases {
 public:
  explicit Bases(const ElfImage& image) : image_(image) {}

  void add(uint64_t typeinfo, int64_t offset, std::vector<uint32_t>* places, int depth = 0) const {
    constexpr int kDeepest = 32;
    const std::optional<ElfImage::Word> kind = image_.word(typeinfo);
    if (!kind || depth == kDeepest) return;
    const bool several = kind->symbol.find("__vmi_class") != std::string::npos;
    if (kind->symbol.find("__si_class") != std::string::npos) {
      add_base(typeinfo + 16, offset, places, depth);
    } else if (several) {
      const std::optional<ElfImage::Word> head = image_.word(typeinfo + 16);
      const uint64_t count = head ? head->value >> 32 : 0;
      constexpr uint64_t kMost = 256;
      for (uint64_t i = 0; i < std::min(count, kMost); ++i)
        add_with_offset(typeinfo + 24 + 16 * i, offset, places, depth);
    }
  }

 private:
  void add_with_offset(uint64_t at, int64_t offset, std::vector<uint32_t>* places,
                       int depth) const {
    const std::optional<ElfImage::Word> flags = image_.word(at + 8);
    if (!flags || (flags->value & 1) != 0) return;
    const int64_t place = offset + (static_cast<int64_t>(flags->value) >> 8);
    if (place > 0 && place <= INT32_MAX) places->push_back(static_cast<uint32_t>(place));
    add_base(at, place, places, depth);
  }

  // One that another file defines has no bases that could be seen here.
  void add_base(uint64_t at, int64_t offset, std::vector<uint32_t>* places, int depth) const {
    const std::optional<ElfImage::Word> base = image_.word(at);
    if (base && base->value != 0) add(base->value, offset, places, depth + 1);
  }

  const ElfImage& image_;
};

}  // namespace

std::vector<uint32_t> Vtables::bases_at(uint64_t word) {
  std::vector<uint32_t> places;
  const uint32_t module = module_at(word);
  const ElfImage* image = files_->image(module);
  if (!image) return places;
  const std::optional<ElfImage::Word> typeinfo =
      image->word(word - snapshot_.modules[module].load - 8);
  if (typeinfo && typeinfo->value != 0) Bases(*image).add(typeinfo->value, 0, &places);
  std::sort(places.begin(), places.end());
  return places;
}

namespace {

void replace_all(std::string* text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text->find(from, at)) != std::string::npos; at += to.size())
    text->replace(at, from.size(), to);
}

// The end of a template's argument that begins at `at`: the ',' or '>' after it.
size_t end_of_argument(const std::string& text, size_t at) {
  int depth = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (depth == 0 && (c == ',' || c == '>')) return at;
    if (c == '<' || c == '(' || c == '[') ++depth;
    if (c == '>' || c == ')' || c == ']') --depth;
  }
  return at;
}

// Takes out each ", PREFIX...": an argument that nobody writes.
void drop_arguments(std::string* text, std::string_view prefix) {
  const std::string start = ", " + std::string(prefix);
  for (size_t at = 0; (at = text->find(start, at)) != std::string::npos;)
    text->erase(at, end_of_argument(*text, at + 2) - at);
}

}  // namespace

std::string short_type(std::string name) {
  for (const char* space : {"std::__cxx11::", "std::__1::", "std::__debug::"})
    replace_all(&name, space, "std::");
  for (const char* argument :
       {"std::allocator<", "std::char_traits<", "std::default_delete<", "std::less<",
        "std::equal_to<", "std::hash<", "(__gnu_cxx::_Lock_policy)"})
    drop_arguments(&name, argument);
  replace_all(&name, " >", ">");
  replace_all(&name, "std::basic_string<char>", "std::string");
  replace_all(&name, "std::basic_string<wchar_t>", "std::wstring");
  return name;
}

}  // namespace heaprake::cli
