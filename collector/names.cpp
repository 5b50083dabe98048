#include "collector/names.h"

#include <cstring>

#include "collector/address_map.h"

namespace heaprake::collector {

constinit platform::ForkMutex names_lock;

namespace {

struct Name {
  uintptr_t address;  // the key: a hash, or the next number if another name has it
  const char* text;
};

// Everything below is guarded by names_lock.
AddressMap<Name> names;
constexpr size_t kArenaBytes = 64 * 1024;
char* arena = nullptr;
size_t arena_left = 0;

// FNV-1a; never 0.
uintptr_t hash_of(const char* text) {
  uint64_t hash = 0xcbf2'9ce4'8422'2325u;
  for (; *text; text++) hash = (hash ^ static_cast<unsigned char>(*text)) * 0x100'0000'01b3u;
  return hash | 1;
}

char* copy_of(const char* text) {
  const size_t bytes = strlen(text) + 1;
  if (bytes > kArenaBytes) return nullptr;
  if (bytes > arena_left) {
    arena = static_cast<char*>(platform::map(kArenaBytes));
    arena_left = arena ? kArenaBytes : 0;
    if (!arena) return nullptr;
  }
  char* copy = arena;
  memcpy(copy, text, bytes);
  arena += bytes;
  arena_left -= bytes;
  return copy;
}

}  // namespace

const char* intern(const char* name) {
  platform::ForkGuard guard(names_lock);
  for (uintptr_t key = hash_of(name);; key += 2) {
    if (const Name* known = names.find(key)) {
      if (strcmp(known->text, name) == 0) return known->text;
      continue;
    }
    const char* copy = copy_of(name);
    Name* added = copy ? names.insert(key) : nullptr;
    if (!added) return "";
    added->text = copy;
    return copy;
  }
}

}  // namespace heaprake::collector
