#include "shim/environment.h"

#include <sys/auxv.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

// The dynamic loader's public note of where the kernel put argc, argv, and envp behind it.
extern "C" void* __libc_stack_end __attribute__((weak));

namespace heaprake::shim {
namespace {

char** environment_block() {
  if (environ) return environ;
  if (&__libc_stack_end == nullptr || !__libc_stack_end) return nullptr;
  auto* words = static_cast<uintptr_t*>(__libc_stack_end);
  uintptr_t argument_count = words[0];
  return reinterpret_cast<char**>(words + 1 + argument_count + 1);
}

}  // namespace

const char* environment_variable(const char* name) {
  char** block = environment_block();
  size_t length = std::strlen(name);
  for (char** entry = block; entry && *entry; ++entry) {
    if (std::strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') {
      return *entry + length + 1;
    }
  }
  return nullptr;
}

bool runs_with_raised_privileges() {
  return getauxval(AT_SECURE) != 0;
}

}  // namespace heaprake::shim
