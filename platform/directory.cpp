#include "platform/directory.h"

#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

struct Entry {  // struct linux_dirent64
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[1];
};

// -1 for what is no number.
int parse_number(const char* name) {
  int number = 0;
  for (const char* at = name; *at != '\0'; ++at) {
    if (*at < '0' || *at > '9') return -1;
    number = number * 10 + (*at - '0');
  }
  return number;
}

}  // namespace

bool for_each_number(int directory, FunctionRef<bool(int number)> visit) {
  alignas(Entry) char buffer[8192];
  if (sys::failed(sys::call(SYS_lseek, directory, 0, 0))) return false;
  for (;;) {
    const long got = sys::call(SYS_getdents64, directory, buffer, sizeof buffer);
    if (got < 0) return false;
    if (got == 0) return true;
    for (long at = 0; at < got;) {
      const char* entry = buffer + at;
      const int number = parse_number(entry + offsetof(Entry, name));
      if (number >= 0 && !visit(number)) return false;
      uint16_t length;
      __builtin_memcpy(&length, entry + offsetof(Entry, length), sizeof length);
      at += length;
    }
  }
}

}  // namespace heaprake::platform
