// What operator new does when memory is out: the new-handler loop, and std::bad_alloc, which
// belongs to the C++ library of the program. We do not link one; it is asked for by name when
// needed.
#pragma once

#include <cstddef>

namespace heaprake::shim {

// Calls the program's new-handler and tries again until there is memory; throws std::bad_alloc when
// there is no handler. Handlers may throw through it.
void* new_failed(size_t alignment, size_t size);
// The same for the nothrow forms: nullptr where that one throws.
void* nothrow_new_failed(size_t alignment, size_t size) noexcept;

}  // namespace heaprake::shim
