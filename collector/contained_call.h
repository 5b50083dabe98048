// Calls a function of the program's, from which no exception comes back: one that the function does
// not catch is reported, counted and dropped, as Python does. Without it the exception would run
// into gc_collect, which is noexcept, or into the middle of malloc.
//
// The library has no C++ run time; it uses the one that has thrown, if that is to be found by name.
// Where it is not (linked statically, or loaded with a plugin alone), the exception goes on upwards
// as if this were not there. Cancellation, pthread_exit and longjmp always do.
#pragma once

#include <cstdint>

#include "heaprake/gc.h"

namespace heaprake::collector {

// contained_call.S. Calls function(a, b, c); `about` is what a report names.
extern "C" void heaprake_call_contained(void (*function)(), uintptr_t a, uintptr_t b, uintptr_t c,
                                        uintptr_t about);

inline void call_contained(gc_finalizer finalizer, void* block, void* arg) {
  const auto about = reinterpret_cast<uintptr_t>(block);
  heaprake_call_contained(reinterpret_cast<void (*)()>(finalizer), about,
                          reinterpret_cast<uintptr_t>(arg), 0, about);
}
inline void call_contained(gc_callback callback, gc_phase phase, const gc_info* info, void* arg) {
  heaprake_call_contained(reinterpret_cast<void (*)()>(callback), static_cast<uintptr_t>(phase),
                          reinterpret_cast<uintptr_t>(info), reinterpret_cast<uintptr_t>(arg),
                          reinterpret_cast<uintptr_t>(callback));
}

}  // namespace heaprake::collector
