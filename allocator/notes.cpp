#include "allocator/notes.h"

#include "allocator/record.h"

namespace heaprake::heap {
namespace {

// By granule: the byte that stands in the map otherwise.
GranuleBytes noted_bytes;
std::atomic<const NoteHooks*> note_hooks{nullptr};

size_t granule_of(uintptr_t p) {
  return (p - geometry.base) / kGranule;
}

}  // namespace

void set_note_hooks(const NoteHooks* hooks) {
  note_hooks.store(hooks, std::memory_order_release);
}

bool is_noted(uintptr_t block) {
  return *byte_of(block) == kNoted;
}

bool note(uintptr_t block) {
  const uint8_t byte = *byte_of(block);
  if (byte == kNoted) return true;
  if (byte == 0 || !noted_bytes.make_room(granule_of(block))) return false;
  noted_bytes.set(granule_of(block), byte);
  // The program may be freeing it, wrongly, at this moment: then it is no block any more.
  uint8_t expected = byte;
  return std::atomic_ref(*byte_of(block)).compare_exchange_strong(expected, kNoted);
}

void unnote(uintptr_t block) {
  if (is_noted(block)) publish_plain(block, noted_bytes.get(granule_of(block)));
}

uint8_t noted_byte(size_t granule) {
  return noted_bytes.get(granule);
}

void set_noted_byte(size_t granule, uint8_t byte) {
  noted_bytes.set(granule, byte);
}

void drop_note(uintptr_t block) {
  if (const NoteHooks* hooks = note_hooks.load(std::memory_order_acquire)) hooks->released(block);
  unnote(block);
}

bool move_note(uintptr_t from, uintptr_t to) {
  const NoteHooks* hooks = note_hooks.load(std::memory_order_acquire);
  return !hooks || hooks->moved(from, to);
}

}  // namespace heaprake::heap
