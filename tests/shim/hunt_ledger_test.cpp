// The whole library as a part of this program, in mode hunt, so that the ledger of a program's own
// calls can be looked at. Run with HEAPRAKE_OPTIONS=mode=hunt. Prints what is wrong; 0 if nothing.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "allocator/ledger.h"

extern "C" {
void* hunted_early();
void* hunted_allocate(int way);
void* hunted_outer(int way);
void* hunted_in_thread(int way);
}

namespace heap = heaprake::heap;
namespace ledger = heaprake::heap::ledger;

namespace {

int faults = 0;

void expect(bool good, const char* what, int way) {
  if (good) return;
  std::printf("way %d: %s\n", way, what);
  ++faults;
}

heap::Block block_of(void* p) {
  return heap::find_block(reinterpret_cast<uintptr_t>(p));
}

struct Frames {
  ledger::Frame frames[64];
  size_t count;
  explicit Frames(void* p) {
    count = ledger::frames_of(ledger::entry_of(block_of(p)).stack, frames, 64);
  }
  // The exported function that made the call.
  const char* name(size_t i) const {
    Dl_info info{};
    if (i >= count || frames[i].module == 0) return "";
    const uintptr_t at = ledger::module_at(frames[i].module).base + frames[i].offset - 1;
    if (dladdr(reinterpret_cast<void*>(at), &info) == 0 || !info.dli_sname) return "";
    return info.dli_sname;
  }
  bool is(size_t i, const char* function) const { return std::strcmp(name(i), function) == 0; }
  const char* outermost_module() const {
    return count != 0 && frames[count - 1].module != 0
               ? ledger::module_at(frames[count - 1].module).path
               : "";
  }
};

void check(int way) {
  void* p = hunted_outer(way);
  const ledger::Entry entry = ledger::entry_of(block_of(p));
  const Frames frames(p);
  expect(entry.requested == 40, "40 bytes were asked for", way);
  expect(ledger::thread_at(entry.thread).tid == getpid(), "it was the main thread", way);
  // strdup is libc's.
  const size_t first = way == 10 ? 1 : 0;
  expect(frames.is(first, "hunted_allocate"), "the innermost frame", way);
  expect(frames.is(first + 1, "hunted_outer"), "its caller", way);
  void* again = hunted_outer(way);
  expect(ledger::entry_of(block_of(again)).stack != 0, "again", way);
  free(again);
  free(p);
}

void check_memo() {
  uint32_t first = 0;
  for (int i = 0; i < 1000; ++i) {
    void* p = hunted_outer(0);
    const uint32_t stack = ledger::entry_of(block_of(p)).stack;
    if (first == 0) first = stack;
    expect(stack == first, "the same call has the same stack", 0);
    free(p);
    free(hunted_allocate(0));
  }
}

void check_thread() {
  void* p = hunted_in_thread(3);
  const Frames frames(p);
  const ledger::Entry entry = ledger::entry_of(block_of(p));
  expect(frames.is(0, "hunted_allocate") && frames.is(1, "hunted_outer"), "in a thread", 3);
  expect(std::strstr(frames.outermost_module(), "libc.so") != nullptr, "a thread's start", 3);
  expect(ledger::thread_at(entry.thread).ended, "the thread is gone", 3);
  free(p);
}

void check_early() {
  const ledger::Entry entry = ledger::entry_of(block_of(hunted_early()));
  const Frames frames(hunted_early());
  expect(entry.requested == 77, "77 bytes before main", -1);
  expect(frames.count > 2, "frames before main", -1);
  expect(std::strstr(frames.outermost_module(), "ld-linux") != nullptr, "the loader's start", -1);
}

}  // namespace

int main() {
  if (!ledger::kept()) {
    std::printf("HEAPRAKE_OPTIONS is not mode=hunt\n");
    return 1;
  }
  for (int way = 0; way <= 10; ++way) check(way);
  check_memo();
  check_thread();
  check_early();
  return faults == 0 ? 0 : 1;
}
