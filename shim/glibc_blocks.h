// glibc's own malloc, and the blocks that it hands out all the same: to a library bound to it, in
// another namespace of the loader, or to everybody where there is no heap. Such a block may come to
// our free; then it is glibc's to free.
#pragma once

#include <cstddef>

namespace heaprake::shim {

// Whether the words in front of p, and where it lies, look as glibc's malloc leaves them for a
// block in use. Reads memory that may not be there; takes a look at the list of mappings, so it is
// slow.
bool is_glibc_block(const void* p);

void* glibc_malloc(size_t size);
void* glibc_calloc(size_t count, size_t size);
void* glibc_aligned(size_t alignment, size_t size);
void glibc_free(void* p);
void* glibc_realloc(void* p, size_t size);
size_t glibc_usable_size(void* p);

}  // namespace heaprake::shim
