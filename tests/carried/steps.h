// What the cases share. A case gives a block's address to the kernel in one step, and takes it back
// in another; between the two nothing in memory says where the block is.
#pragma once

#include <cstddef>
#include <cstdint>

// Of a program that must not be optimised into one that keeps what it drops.
#define STEP __attribute__((noinline))

namespace carried {

struct Case {
  const char* name;
  bool (*put)(void* block);  // false: not possible here (errno says why)
  void* (*get)();
  // After get the kernel may still hold the address; this ends it. May be null.
  void (*end)();
};

extern const Case kMessageCases[];
extern const size_t kMessageCaseCount;
extern const Case kSignalCases[];
extern const size_t kSignalCaseCount;
extern const Case kEpollCases[];
extern const size_t kEpollCaseCount;

// A collection, as the program's own allocation would start it but at once.
void collect();
// Whether the library records a block there.
bool exists(void* block);
// Says what went wrong and ends the process.
[[noreturn]] void fail(const char* what);
inline void expect(bool holds, const char* what) {
  if (!holds) fail(what);
}

}  // namespace carried
