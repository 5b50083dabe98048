#include "platform/coarse_clock.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <time.h>

#include <cstring>

#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

using ClockGettime = int (*)(clockid_t, timespec*);
ClockGettime lent_clock;

// The dynamic symbols of an image that is laid out as its file is.
struct Symbols {
  const ElfW(Sym) * table = nullptr;
  const char* names = nullptr;
  const uint32_t* hash = nullptr;  // DT_HASH: its second word is the number of symbols
};

Symbols symbols_of(uintptr_t bias, const ElfW(Dyn) * dynamic) {
  Symbols symbols;
  for (; dynamic->d_tag != DT_NULL; ++dynamic) {
    const uintptr_t address = bias + dynamic->d_un.d_ptr;
    if (dynamic->d_tag == DT_SYMTAB) symbols.table = reinterpret_cast<const ElfW(Sym)*>(address);
    if (dynamic->d_tag == DT_STRTAB) symbols.names = reinterpret_cast<const char*>(address);
    if (dynamic->d_tag == DT_HASH) symbols.hash = reinterpret_cast<const uint32_t*>(address);
  }
  return symbols;
}

uintptr_t find_symbol(uintptr_t image, const char* name) {
  const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(image);
  const auto* segments = reinterpret_cast<const ElfW(Phdr)*>(image + header->e_phoff);
  uintptr_t bias = 0;
  const ElfW(Dyn)* dynamic = nullptr;
  for (int i = 0; i < header->e_phnum; ++i) {
    if (segments[i].p_type == PT_LOAD && bias == 0)
      bias = image + segments[i].p_offset - segments[i].p_vaddr;
    if (segments[i].p_type == PT_DYNAMIC)
      dynamic = reinterpret_cast<const ElfW(Dyn)*>(image + segments[i].p_offset);
  }
  if (dynamic == nullptr) return 0;
  const Symbols symbols = symbols_of(bias, dynamic);
  if (symbols.table == nullptr || symbols.names == nullptr || symbols.hash == nullptr) return 0;
  for (uint32_t i = 0; i < symbols.hash[1]; ++i) {
    const ElfW(Sym)& symbol = symbols.table[i];
    if (symbol.st_shndx != SHN_UNDEF && std::strcmp(symbols.names + symbol.st_name, name) == 0)
      return bias + symbol.st_value;
  }
  return 0;
}

}  // namespace

void start_coarse_clock() {
  const uintptr_t image = getauxval(AT_SYSINFO_EHDR);
  if (image != 0)
    lent_clock = reinterpret_cast<ClockGettime>(find_symbol(image, "__vdso_clock_gettime"));
}

uint64_t coarse_ns() {
  timespec now{};
  if (lent_clock == nullptr || lent_clock(CLOCK_MONOTONIC_COARSE, &now) != 0)
    sys::call(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace heaprake::platform
