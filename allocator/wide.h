// Wide blocks: very large ones, very large alignments, and whatever mimalloc could not serve. Whole
// pages at the top of the range, the highest hole that fits; their memory goes back on release.
//
// Any thread, under one lock. Memory is zero when allocated. Nothing here touches the block map.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heaprake::heap::wide {

// Blocks from this size on are wide: mimalloc would give each a segment of its own.
inline constexpr size_t kMinSize = 16u << 20;

bool start();
// nullptr when out of memory. `alignment` is a power of two; at least a page is taken.
void* allocate(size_t bytes, size_t alignment);
// p is what allocate returned and has not been released.
void release(void* p);
// Makes the block as long as `bytes` without moving it. false: something is in the way.
bool resize(void* p, size_t bytes);
// Bytes that the block may use.
size_t capacity(const void* p);
// Gives mimalloc more of the range, if there is more.
bool extend_arena();

void before_fork();
void after_fork_in_parent();
void reset_after_fork();

}  // namespace heaprake::heap::wide
