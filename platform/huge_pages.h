// Huge pages, of 2 MiB: a part of the contract (platform.h), under the same terms. All of it is
// advice: where the kernel has none, or does not want to, pages are small.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heaprake::platform {

inline constexpr size_t kHugePage = size_t{2} << 20;

// Asks for huge pages where the range is large enough.
void advise_huge(void* p, size_t bytes);
// Gathers what these pages hold into huge pages now, at the cost of a copy. They should be aligned
// to kHugePage and mostly in use.
void collapse_into_huge(void* p, size_t bytes);

// What /sys/kernel/mm/transparent_hugepage/enabled says: who gets huge pages.
enum class HugePages { kNobody, kWhoAsks, kEverybody };
// Opens a file, so only while nobody can notice: before the program begins, or in a stopped world.
HugePages huge_pages();
// The kernel makes no huge pages there unasked, neither at once nor by gathering small ones later,
// which would take memory again that was given back.
void refuse_huge(void* p, size_t bytes);
// Whether the next may be called: not where a filter of the program's would end it for that.
bool may_populate_huge();
// A huge page at p, a multiple of kHugePage in a reservation, committed and never touched. May take
// long where memory is in pieces, which the kernel then moves together: returns how many
// nanoseconds of the processor. The range is as refuse_huge leaves it.
uint64_t populate_huge(void* p);

}  // namespace heaprake::platform
