#include <linux/fcntl.h>

#include "platform/maps_parser.h"
#include "platform/own_ranges.h"
#include "platform/platform.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

constexpr long kInterrupted = -4;

int open_reading(const char* path) {
  const long fd = sys::call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  return sys::failed(fd) ? -1 : static_cast<int>(fd);
}

// Cuts the mapping where ours and the program's meet.
bool visit_pieces(const Mapping& mapping, FunctionRef<bool(const Mapping&, bool)> visit) {
  Mapping piece = mapping;
  uintptr_t at = mapping.range.lo;
  while (at < mapping.range.hi) {
    const Range own = own_ranges::first_within(at, mapping.range.hi);
    const bool last = own.lo >= own.hi;
    piece.range = {at, last ? mapping.range.hi : own.lo};
    if (piece.range.lo < piece.range.hi && !visit(piece, false)) return false;
    if (last) break;
    piece.range = own;
    if (!visit(piece, true)) return false;
    at = own.hi;
  }
  return true;
}

bool has_large_mappings(const AddressSpace& space) {
  bool found = false;
  space.for_each_mapping([&](const Mapping& mapping) {
    found = !mapping.shared && mapping.range.size() >= LargeMappings::kLarge;
    return !found;
  });
  return found;
}

}  // namespace

// By way of the thread: a process whose main thread has ended shows no memory as its own.
bool AddressSpace::open() {
  maps_ = open_reading("/proc/thread-self/maps");
  // Without it mincore is asked, and what that does not know either counts as touched.
  pagemap_ = open_reading("/proc/thread-self/pagemap");
  if (maps_ < 0) {
    close();
    return false;
  }
  if (pagemap_ < 0 && has_large_mappings(*this)) large_.read();
  return true;
}

void AddressSpace::close() {
  if (maps_ >= 0) close_file(maps_);
  if (pagemap_ >= 0) close_file(pagemap_);
  maps_ = pagemap_ = -1;
}

bool AddressSpace::for_each_mapping(FunctionRef<bool(const Mapping&)> visit) const {
  return for_each_piece([&](const Mapping& piece, bool ours) { return ours || visit(piece); });
}

bool AddressSpace::for_each_piece(FunctionRef<bool(const Mapping&, bool)> visit) const {
  if (maps_ < 0 || sys::failed(sys::call(SYS_lseek, maps_, 0, 0))) return false;
  MapsReader reader;
  auto cut = [&](const Mapping& mapping) { return visit_pieces(mapping, visit); };
  for (;;) {
    const long got = sys::call(SYS_read, maps_, reader.space(), reader.room());
    if (got == kInterrupted) continue;
    if (got < 0) return false;
    const auto result = reader.consume(static_cast<size_t>(got), got == 0, cut);
    if (result == MapsReader::Result::kMalformed) return false;
    if (result == MapsReader::Result::kStopped || got == 0) return true;
  }
}

}  // namespace heaprake::platform
