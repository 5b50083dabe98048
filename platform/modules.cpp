#include "platform/modules.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>

#include <atomic>
#include <climits>
#include <cstring>

#include "platform/guarded_stack.h"
#include "platform/syscall.h"

// Since glibc 2.35; without it nothing is known of modules.
extern "C" int _dl_find_object(void*, dl_find_object*) __attribute__((weak));

namespace heaprake::platform {
namespace {

// Held with all signals blocked: a handler may need a module's number, too.
Mutex lock;
// Reserved once, under the lock, before `count` is first anything but 0. Entries below `count` do
// not change.
Module* table;
std::atomic<size_t> count{0};

// Paths, one after the other, in pieces that stay. Under the lock.
constexpr size_t kPathPiece = 64 * 1024;
char* path_piece;
size_t path_room;

// A copy that stays; "" when memory is out.
const char* keep(const char* text, size_t length) {
  if (length + 1 > path_room) {
    auto* piece = static_cast<char*>(map(kPathPiece));
    if (piece == nullptr || length + 1 > kPathPiece) return "";
    path_piece = piece;
    path_room = kPathPiece;
  }
  char* copy = path_piece;
  std::memcpy(copy, text, length);
  copy[length] = 0;
  path_piece += length + 1;
  path_room -= length + 1;
  return copy;
}

// The name of the file that is mapped at `address`.
const char* mapped_path(uintptr_t address) {
  const char* path = "";
  AddressSpace space;
  if (!space.open()) return path;
  space.for_each_piece([&](const Mapping& mapping, bool) {
    if (!mapping.range.contains(address)) return mapping.range.hi <= address;
    path = keep(mapping.name, std::strlen(mapping.name));
    return false;
  });
  space.close();
  return path;
}

const char* program_path() {
  char path[512];
  const long length =
      sys::call(SYS_readlinkat, AT_FDCWD, "/proc/thread-self/exe", path, sizeof path - 1);
  return length > 0 ? keep(path, static_cast<size_t>(length)) : "";
}

const char* path_of(const LoadedModule& module) {
  if (module.name == nullptr || *module.name == 0) return program_path();
  // A name without a slash is the kernel's page of code, which has no file.
  if (*module.name == '/' || std::strchr(module.name, '/') == nullptr)
    return keep(module.name, std::strlen(module.name));
  const char* found = mapped_path(module.tables.image.lo);
  return *found ? found : keep(module.name, std::strlen(module.name));
}

void read_build_id(const uint8_t* notes, size_t bytes, Module* module) {
  constexpr size_t kHeader = sizeof(ElfW(Nhdr));
  while (bytes >= kHeader) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes, kHeader);
    const size_t name = (size_t{note.n_namesz} + 3) & ~size_t{3};
    const size_t content = (size_t{note.n_descsz} + 3) & ~size_t{3};
    if (name > bytes - kHeader || content > bytes - kHeader - name) return;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        std::memcmp(notes + kHeader, "GNU", 4) == 0) {
      const size_t length = note.n_descsz < kMaxBuildId ? note.n_descsz : kMaxBuildId;
      std::memcpy(module->build_id, notes + kHeader + name, length);
      module->build_id_length = static_cast<uint8_t>(length);
      return;
    }
    notes += kHeader + name + content;
    bytes -= kHeader + name + content;
  }
}

// From the ELF header at the start of the image, as the loader has mapped it.
void read_notes(Module* module) {
  const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(module->image.lo);
  if (!is_readable(module->image.lo) || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return;
  if (header->e_phoff + header->e_phnum * sizeof(ElfW(Phdr)) > kPageSize) return;
  const auto* segments = reinterpret_cast<const ElfW(Phdr)*>(module->image.lo + header->e_phoff);
  for (int i = 0; i < header->e_phnum && module->build_id_length == 0; ++i) {
    const uintptr_t lo = module->base + segments[i].p_vaddr;
    const size_t bytes = segments[i].p_filesz;
    if (segments[i].p_type != PT_NOTE || !module->image.contains(lo) ||
        bytes > module->image.hi - lo || bytes > kPageSize || !is_readable(lo) ||
        !is_readable(lo + bytes - 1)) {
      continue;
    }
    read_build_id(reinterpret_cast<const uint8_t*>(lo), bytes, module);
  }
}

// Paths are compared as the loader has them where it has a whole one; the program has none.
bool is_same(const Module& known, const Module& fresh) {
  return known.base == fresh.base && known.image.lo == fresh.image.lo &&
         known.image.hi == fresh.image.hi && known.build_id_length == fresh.build_id_length &&
         std::memcmp(known.build_id, fresh.build_id, fresh.build_id_length) == 0;
}

bool has_path(const Module& known, const LoadedModule& module) {
  if (module.name == nullptr || *module.name != '/') return true;
  return std::strcmp(known.path, module.name) == 0;
}

}  // namespace

bool find_loaded(uintptr_t address, LoadedModule* module) {
  dl_find_object found;
  if (_dl_find_object == nullptr) return false;
  if (_dl_find_object(reinterpret_cast<void*>(address), &found) != 0) return false;
  module->base = found.dlfo_link_map->l_addr;
  module->name = found.dlfo_link_map->l_name;
  module->tables.image = {reinterpret_cast<uintptr_t>(found.dlfo_map_start),
                          reinterpret_cast<uintptr_t>(found.dlfo_map_end)};
  module->tables.index = static_cast<const uint8_t*>(found.dlfo_eh_frame);
  return true;
}

size_t module_number(const LoadedModule& loaded) {
  Module fresh;
  fresh.base = loaded.base;
  fresh.image = loaded.tables.image;
  read_notes(&fresh);
  SignalGuard guard(lock);
  const size_t known = count.load(std::memory_order_relaxed);
  for (size_t i = known; i-- > 0;) {
    if (is_same(table[i], fresh) && has_path(table[i], loaded)) return i + 1;
  }
  if (known == kMaxModules) return 0;
  if (table == nullptr) table = static_cast<Module*>(map(kMaxModules * sizeof(Module)));
  if (table == nullptr) return 0;
  fresh.path = path_of(loaded);
  table[known] = fresh;
  count.store(known + 1, std::memory_order_release);
  return known + 1;
}

size_t module_count() {
  return count.load(std::memory_order_acquire);
}

const Module& module_at(size_t number) {
  return table[number - 1];
}

bool is_loaded(const Module& module) {
  // Some address of its image is in it, unless something else is there.
  LoadedModule now;
  if (!find_loaded(module.image.lo, &now)) return false;
  Module there;
  there.base = now.base;
  there.image = now.tables.image;
  read_notes(&there);
  return is_same(module, there) && has_path(module, now);
}

void reset_modules_after_fork() {
  lock.reset_after_fork();
  // Another thread may have been in the middle of changing the two.
  path_piece = nullptr;
  path_room = 0;
}

}  // namespace heaprake::platform
