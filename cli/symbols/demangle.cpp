#include "cli/symbols/demangle.h"

#include <cxxabi.h>
#include <libiberty/demangle.h>

#include <cstdlib>
#include <memory>
#include <string_view>

namespace heaprake::cli {

namespace {

// As the demanglers allocate it; null if the name is none of theirs.
char* text_of(const char* name) {
  const char kind = name[0] == '_' ? name[1] : '\0';
  // Rust's older names look like C++'s, so it is asked first.
  if (kind == 'R' || kind == 'Z')
    if (char* text = rust_demangle(name, DMGL_NO_OPTS)) return text;
  if (kind == 'D') return dlang_demangle(name, DMGL_NO_OPTS);
  // Only names of the Itanium ABI: __cxa_demangle reads "i" as the type int.
  if (kind != 'Z') return nullptr;
  int status = 0;
  return abi::__cxa_demangle(name, nullptr, nullptr, &status);
}

}  // namespace

std::string demangled(const char* name) {
  // glibc's name for its own use of a function: __GI___strdup, __GI___clone3.
  constexpr std::string_view kInternal = "__GI_";
  const std::string_view whole = name;
  if (whole.starts_with(kInternal) && whole != kInternal) name += kInternal.size();
  const std::unique_ptr<char, decltype(&std::free)> text(text_of(name), &std::free);
  return text ? text.get() : name;
}

}  // namespace heaprake::cli
