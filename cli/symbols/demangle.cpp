#include "cli/symbols/demangle.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

namespace heaprake::cli {

std::string demangled(const char* name) {
  // Only names of the Itanium ABI: __cxa_demangle reads "i" as the type int.
  if (name[0] != '_' || name[1] != 'Z') return name;
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  return status == 0 && text ? std::string(text.get()) : std::string(name);
}

}  // namespace heaprake::cli
