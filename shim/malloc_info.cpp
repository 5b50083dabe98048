// The calls of the malloc family that tell or tune: our figures, in glibc's forms.
#include <malloc.h>

#include <cerrno>
#include <climits>
#include <cstdio>

#include "allocator/heap.h"
#include "platform/platform.h"
#include "shim/export.h"
#include "shim/line.h"

namespace heap = heaprake::heap;
using heaprake::shim::Line;

namespace {

heap::Usage usage() {
  return heap::ready() ? heap::usage() : heap::Usage{0, 0, 0};
}

struct mallinfo2 figures() {
  heap::Usage now = usage();
  struct mallinfo2 info = {};
  info.arena = now.committed;
  info.uordblks = now.used;
  info.fordblks = now.committed > now.used ? now.committed - now.used : 0;
  return info;
}

int saturated(size_t n) {
  return n > INT_MAX ? INT_MAX : static_cast<int>(n);
}

void describe(Line& line) {
  heap::Usage now = usage();
  line << "<malloc version=\"1\">\n<heap nr=\"0\">\n<blocks count=\"" << now.blocks << "\" size=\""
       << now.used << "\"/>\n<system type=\"current\" size=\"" << now.committed
       << "\"/>\n</heap>\n<system type=\"current\" size=\"" << now.committed << "\"/>\n</malloc>\n";
}

}  // namespace

HEAPRAKE_EXPORT struct mallinfo2 mallinfo2() noexcept {
  return figures();
}

HEAPRAKE_EXPORT struct mallinfo mallinfo() noexcept {
  struct mallinfo2 wide = figures();
  struct mallinfo info = {};
  info.arena = saturated(wide.arena);
  info.uordblks = saturated(wide.uordblks);
  info.fordblks = saturated(wide.fordblks);
  return info;
}

// The stream is the program's, so it is written as the program would write it.
HEAPRAKE_EXPORT int malloc_info(int options, FILE* stream) noexcept {
  if (options != 0) return EINVAL;
  Line line;
  describe(line);
  std::fwrite(line.text(), 1, line.length(), stream);
  return 0;
}

HEAPRAKE_EXPORT void malloc_stats() noexcept {
  heap::Usage now = usage();
  Line line;
  line << "heaprake: " << now.blocks << " blocks (" << now.used << " bytes) in " << now.committed
       << " bytes of memory\n";
  line.to_error();
}

HEAPRAKE_EXPORT int malloc_trim(size_t) noexcept {
  return heap::ready() && heap::trim() ? 1 : 0;
}

// There is nothing to tune in this way; glibc too accepts parameters that it does not know.
HEAPRAKE_EXPORT int mallopt(int, int) noexcept {
  return 1;
}
