#include "platform/huge_pages.h"

#include <sys/mman.h>

#include <atomic>
#include <string_view>

#include "platform/inherited_filter.h"
#include "platform/platform.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

constexpr long kMadvCollapse = 25;  // Linux 6.1; Debian 12's headers lack the name

std::atomic<bool> forbidden{false};

void advise(void* p, size_t bytes, long advice) {
  if (!is_quiet() && !forbidden.load(std::memory_order_relaxed))
    sys::call(SYS_madvise, p, bytes, advice);
}

}  // namespace

void advise_huge(void* p, size_t bytes) {
  if (bytes >= kHugePage) advise(p, bytes, MADV_HUGEPAGE);
}

void collapse_into_huge(void* p, size_t bytes) {
  advise(p, bytes, kMadvCollapse);
}

HugePages huge_pages() {
  if (is_quiet()) return HugePages::kNobody;
  char text[64];
  const int file = open_for_reading("/sys/kernel/mm/transparent_hugepage/enabled");
  if (file < 0) return HugePages::kNobody;
  const std::string_view said(text, read_some(file, text, sizeof text));
  close_file(file);
  if (said.find("[madvise]") != said.npos) return HugePages::kWhoAsks;
  return said.find("[always]") != said.npos ? HugePages::kEverybody : HugePages::kNobody;
}

void refuse_huge(void* p, size_t bytes) {
  advise(p, bytes, MADV_NOHUGEPAGE);
}

// The page that the write brings in stays huge whatever is advised later; and with one kind of
// advice everywhere the reservation stays few mappings.
void populate_huge(void* p) {
  advise(p, kHugePage, MADV_HUGEPAGE);
  *static_cast<volatile char*>(p) = 0;
  advise(p, kHugePage, MADV_NOHUGEPAGE);
}

void forbid_huge_pages() {
  forbidden.store(true, std::memory_order_relaxed);
}

}  // namespace heaprake::platform
