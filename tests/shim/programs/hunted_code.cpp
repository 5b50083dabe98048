// Code as a program has it, in a library of its own, so that hunt_ledger_test.cpp can tell its
// frames from the library's. Knows nothing of heaprake.
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <thread>

#define SHOWN extern "C" __attribute__((visibility("default"), noinline))

namespace {
// Allocated by a constructor, before main.
void* early = malloc(77);
}  // namespace

SHOWN void* hunted_early() {
  return early;
}

SHOWN void* hunted_allocate(int way) {
  void* p = nullptr;
  switch (way) {
    case 0:
      p = malloc(40);
      break;
    case 1:
      p = calloc(4, 10);
      break;
    case 2:
      p = realloc(nullptr, 40);
      break;
    case 3:
      p = operator new(40);
      break;
    case 4:
      p = operator new[](40, std::nothrow);
      break;
    case 5:
      p = aligned_alloc(8, 40);
      break;
    case 6:
      p = aligned_alloc(256, 40);
      break;
    case 7:
      if (posix_memalign(&p, 1024, 40) != 0) p = nullptr;
      break;
    case 8:
      p = operator new(40, std::align_val_t(64));
      break;
    case 9:
      p = realloc(malloc(4000), 40);
      break;
    case 10:
      p = strdup("thirty-nine characters are in this text");
      break;
    default:
      return nullptr;
  }
  asm volatile("" : : "r"(p) : "memory");
  return p;
}

SHOWN void* hunted_outer(int way) {
  void* p = hunted_allocate(way);
  asm volatile("" : : "r"(p) : "memory");
  return p;
}

SHOWN void* hunted_in_thread(int way) {
  void* p = nullptr;
  std::thread([&] { p = hunted_outer(way); }).join();
  return p;
}
