#include "collector/modules.h"

#include <elf.h>
#include <sys/auxv.h>

#include <algorithm>
#include <cstring>

#include "collector/names.h"

namespace heaprake::collector {

namespace {

using platform::AddressSpace;
using platform::Range;

constexpr size_t kMostHeaders = 64;

template <class T>
bool read(const AddressSpace& space, uintptr_t from, T* to, size_t count = 1) {
  return space.read_guarded(to, from, count * sizeof(T)) == count * sizeof(T);
}

size_t padded(size_t bytes) {
  return (bytes + 3) & ~size_t{3};
}

// The build id among the notes at [at, end).
void find_build_id(const AddressSpace& space, uintptr_t at, uintptr_t end, LoadedModule* module) {
  constexpr int kMostNotes = 64;
  for (int i = 0; i < kMostNotes && at + sizeof(Elf64_Nhdr) <= end; i++) {
    Elf64_Nhdr note;
    if (!read(space, at, &note)) return;
    const uintptr_t name = at + sizeof note, content = name + padded(note.n_namesz);
    char owner[4];
    const bool gnu = note.n_namesz == sizeof owner && read(space, name, owner, sizeof owner) &&
                     memcmp(owner, "GNU", sizeof owner) == 0;
    if (gnu && note.n_type == NT_GNU_BUILD_ID && note.n_descsz <= LoadedModule::kMostId) {
      if (read(space, content, module->id, note.n_descsz))
        module->id_length = static_cast<uint8_t>(note.n_descsz);
      return;
    }
    at = content + padded(note.n_descsz);
  }
}

struct Headers {
  unsigned count = 0;
  Elf64_Phdr segments[kMostHeaders];
  uintptr_t lo = UINTPTR_MAX, hi = 0;  // of what is loaded, as the file has it
};

bool read_headers(const AddressSpace& space, uintptr_t start, Headers* headers) {
  Elf64_Ehdr header;
  if (!read(space, start, &header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return false;
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr) ||
      header.e_phnum == 0 || header.e_phnum > kMostHeaders ||
      (header.e_type != ET_DYN && header.e_type != ET_EXEC))
    return false;
  headers->count = header.e_phnum;
  if (!read(space, start + header.e_phoff, headers->segments, headers->count)) return false;
  for (unsigned i = 0; i < headers->count; i++) {
    const Elf64_Phdr& segment = headers->segments[i];
    if (segment.p_type != PT_LOAD) continue;
    headers->lo = std::min(headers->lo, segment.p_vaddr & ~(platform::kPageSize - 1));
    headers->hi = std::max(headers->hi, segment.p_vaddr + segment.p_memsz);
  }
  return headers->lo < headers->hi;
}

// Whether a module begins at `start`, and where it lies. Segments are contiguous address space.
bool read_module(const AddressSpace& space, uintptr_t start, LoadedModule* module) {
  Headers headers;
  if (!read_headers(space, start, &headers)) return false;
  module->load = start - headers.lo;
  module->range = {start, start + (headers.hi - headers.lo)};
  const uintptr_t program_headers = getauxval(AT_PHDR);
  module->program = program_headers && module->range.contains(program_headers);
  for (unsigned i = 0; i < headers.count && !module->id_length; i++) {
    const Elf64_Phdr& segment = headers.segments[i];
    const uintptr_t notes = module->load + segment.p_vaddr;
    if (segment.p_type == PT_NOTE) find_build_id(space, notes, notes + segment.p_memsz, module);
  }
  return true;
}

}  // namespace

uintptr_t end_of_module(const AddressSpace& space, uintptr_t start) {
  Headers headers;
  return read_headers(space, start, &headers) ? start + (headers.hi - headers.lo) : 0;
}

bool Modules::note(const AddressSpace& space, const platform::Mapping& mapping) {
  if (!mapping.file_backed || mapping.shared || mapping.device) return true;
  if (!list_.empty()) {
    LoadedModule& last = list_[list_.size() - 1];
    if (last.range.contains(mapping.range.lo)) {
      last.code = last.code || mapping.executable;
      return true;
    }
    // A file that is only read.
    if (!last.code) list_.pop();
  }
  LoadedModule module{};
  if (!read_module(space, mapping.range.lo, &module)) return true;
  module.path = intern(mapping.name);
  module.code = mapping.executable;
  return list_.push(module);
}

bool Modules::gather(const AddressSpace& space) {
  list_.clear();
  bool room = true;
  const bool whole = space.for_each_mapping(
      [&](const platform::Mapping& mapping) { return room = note(space, mapping); });
  if (!list_.empty() && !list_[list_.size() - 1].code) list_.pop();
  return room && whole;
}

size_t Modules::find(uintptr_t address) const {
  const LoadedModule* after =
      std::upper_bound(list_.begin(), list_.end(), address,
                       [](uintptr_t a, const LoadedModule& module) { return a < module.range.lo; });
  if (after == list_.begin() || !after[-1].range.contains(address)) return list_.size();
  return static_cast<size_t>(after - 1 - list_.begin());
}

}  // namespace heaprake::collector
