#include "shim/new_failure.h"

#include <dlfcn.h>

#include <new>

#include "allocator/heap.h"
#include "platform/platform.h"
#include "shim/line.h"

namespace heaprake::shim {
namespace {

using Handler = void (*)();

// The C++ library may be there only for a plug-in, where a search of the global scope misses it.
void* cxx_library() {
  static constexpr const char* kNames[] = {"libstdc++.so.6", "libc++.so.1"};
  for (const char* name : kNames) {
    if (void* library = dlopen(name, RTLD_LAZY | RTLD_NOLOAD)) return library;
  }
  return nullptr;
}

void* cxx_function(const char* name) {
  if (void* found = dlsym(RTLD_DEFAULT, name)) return found;
  void* library = cxx_library();
  return library ? dlsym(library, name) : nullptr;
}

Handler new_handler() {
  auto* get = reinterpret_cast<Handler (*)()>(cxx_function("_ZSt15get_new_handlerv"));
  return get ? get() : nullptr;
}

[[noreturn]] void throw_bad_alloc() {
  auto* thrower = reinterpret_cast<void (*)()>(cxx_function("_ZSt17__throw_bad_allocv"));
  if (thrower) thrower();
  Line line;
  line << "heaprake: operator new: memory is out, and no C++ library is there to throw.\n";
  line.to_error();
  platform::abort_process();
}

}  // namespace

void* new_failed(size_t alignment, size_t size) {
  for (;;) {
    Handler handler = new_handler();
    if (!handler) throw_bad_alloc();
    handler();
    void* p = heap::allocate_aligned(alignment, size);
    if (p) return p;
  }
}

// Catching what a handler throws takes the C++ library: its own nothrow form calls our throwing
// form and catches.
void* nothrow_new_failed(size_t alignment, size_t size) noexcept {
  if (!new_handler()) return nullptr;
  void* library = cxx_library();
  if (!library) return nullptr;
  if (alignment <= heap::kGranule) {
    using New = void* (*)(size_t, const std::nothrow_t&);
    auto form = reinterpret_cast<New>(dlsym(library, "_ZnwmRKSt9nothrow_t"));
    return form ? form(size, std::nothrow_t()) : nullptr;
  }
  using New = void* (*)(size_t, std::align_val_t, const std::nothrow_t&);
  auto form = reinterpret_cast<New>(dlsym(library, "_ZnwmSt11align_val_tRKSt9nothrow_t"));
  return form ? form(size, std::align_val_t{alignment}, std::nothrow_t()) : nullptr;
}

}  // namespace heaprake::shim
