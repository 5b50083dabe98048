#include "collector/names.h"

#include <cstring>

#include "collector/mapped_array.h"

namespace heaprake::collector {

namespace {

MappedArray<const char*> names;
constexpr size_t kArenaBytes = 64 * 1024;
char* arena = nullptr;
size_t arena_left = 0;

}  // namespace

const char* intern(const char* name) {
  for (const char* known : names) {
    if (strcmp(known, name) == 0) return known;
  }
  size_t bytes = strlen(name) + 1;
  if (bytes > kArenaBytes) return "";
  if (bytes > arena_left) {
    arena = static_cast<char*>(platform::map(kArenaBytes));
    arena_left = arena ? kArenaBytes : 0;
    if (!arena) return "";
  }
  char* copy = arena;
  memcpy(copy, name, bytes);
  if (!names.push(copy)) return "";
  arena += bytes;
  arena_left -= bytes;
  return copy;
}

}  // namespace heaprake::collector
