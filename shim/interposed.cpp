#include "shim/interposed.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cerrno>

#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/blocking.h"
#include "shim/processes.h"
#include "shim/signals.h"

namespace heaprake::shim {

extern "C" {
__attribute__((visibility("hidden"))) extern Row heaprake_rows[];
__attribute__((visibility("hidden"))) extern Row heaprake_rows_end[];
}

namespace {

// Stands for a function that this libc does not have; a program cannot have been linked with it.
long missing() {
  errno = ENOSYS;
  return -1;
}

void* next_definition(const Row& row) {
  void* found = row.version ? dlvsym(RTLD_NEXT, row.name, row.version) : nullptr;
  if (!found) found = dlsym(RTLD_NEXT, row.name);
  return found ? found : reinterpret_cast<void*>(missing);
}

// libc's code: the object that defines a function which nobody has a reason to stand in front of.
int find_libc(dl_phdr_info* info, size_t, void* out) {
  auto probe = reinterpret_cast<uintptr_t>(&__errno_location);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    const uintptr_t lo = info->dlpi_addr + segment.p_vaddr;
    if (segment.p_type != PT_LOAD || probe - lo >= segment.p_memsz) continue;
    *static_cast<platform::Range*>(out) = {lo, lo + segment.p_memsz};
    return 1;
  }
  return 0;
}

// The first object is the program itself.
int find_program(dl_phdr_info* info, size_t, void* out) {
  platform::Range image{UINTPTR_MAX, 0};
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    const uintptr_t lo = info->dlpi_addr + segment.p_vaddr;
    image = {std::min(image.lo, lo), std::max(image.hi, lo + segment.p_memsz)};
  }
  *static_cast<platform::Range*>(out) = image;
  return 1;
}

}  // namespace

extern "C" __attribute__((used)) void* heaprake_resolve(Row* row) {
  const int kept_errno = errno;
  void* next = next_definition(*row);
  __atomic_store_n(&row->next, next, __ATOMIC_RELEASE);
  errno = kept_errno;
  return next;
}

void start_interposition(bool regions) {
  const int kept_errno = errno;
  platform::Range libc;
  dl_iterate_phdr(find_libc, &libc);
  for (Row* row = heaprake_rows; row != heaprake_rows_end; ++row) {
    heaprake_resolve(row);
    // Another library's wrapper may do anything, allocate too: only libc's own code runs inside a
    // region. That wrapper's call of libc comes from behind us, so it is just a running thread's.
    const bool trusted = libc.contains(reinterpret_cast<uintptr_t>(row->next));
    if (regions && trusted && row->region) {
      __atomic_store_n(&row->entry, row->region, __ATOMIC_RELEASE);
    }
  }
  platform::Range program;
  dl_iterate_phdr(find_program, &program);
  collector::set_image(program);
  start_errno_offset();
  start_signals();
  errno = kept_errno;
}

void reset_interposition_after_fork() {
  reset_processes_after_fork();
}

}  // namespace heaprake::shim
