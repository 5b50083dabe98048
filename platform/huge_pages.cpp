#include "platform/huge_pages.h"

#include <sys/mman.h>

#include <string_view>

#include "platform/advice.h"
#include "platform/platform.h"

namespace heaprake::platform {
namespace {

constexpr int kMadvCollapse = 25;  // Linux 6.1; Debian 12's headers lack the name

}  // namespace

void advise_huge(void* p, size_t bytes) {
  if (bytes >= kHugePage) advice::give(p, bytes, MADV_HUGEPAGE);
}

void collapse_into_huge(void* p, size_t bytes) {
  advice::give(p, bytes, kMadvCollapse);
}

HugePages huge_pages() {
  if (!advice::is_allowed()) return HugePages::kNobody;
  char text[64];
  const int file = open_for_reading("/sys/kernel/mm/transparent_hugepage/enabled");
  if (file < 0) return HugePages::kNobody;
  const std::string_view said(text, read_some(file, text, sizeof text));
  close_file(file);
  if (said.find("[madvise]") != said.npos) return HugePages::kWhoAsks;
  return said.find("[always]") != said.npos ? HugePages::kEverybody : HugePages::kNobody;
}

void refuse_huge(void* p, size_t bytes) {
  advice::give(p, bytes, MADV_NOHUGEPAGE);
}

bool may_populate_huge() {
  return advice::is_allowed();
}

// The page that the write brings in stays huge whatever is advised later; and with one kind of
// advice everywhere the reservation stays few mappings.
uint64_t populate_huge(void* p) {
  const uint64_t began = thread_cpu_ns();
  advice::give(p, kHugePage, MADV_HUGEPAGE);
  *static_cast<volatile char*>(p) = 0;
  advice::give(p, kHugePage, MADV_NOHUGEPAGE);
  return thread_cpu_ns() - began;
}

}  // namespace heaprake::platform
