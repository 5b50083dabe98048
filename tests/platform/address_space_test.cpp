#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "platform/platform.h"

namespace heaprake::platform {
namespace {

constexpr size_t kPage = kPageSize;
uintptr_t address(const void* p) {
  return reinterpret_cast<uintptr_t>(p);
}

class AddressSpaceTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(space_.open()); }
  void TearDown() override { space_.close(); }
  // The parts of [lo, hi) that are shown.
  std::vector<Range> shown(uintptr_t lo, uintptr_t hi) {
    std::vector<Range> out;
    EXPECT_TRUE(space_.for_each_mapping([&](const Mapping& m) {
      const Range cut{std::max(lo, m.range.lo), std::min(hi, m.range.hi)};
      if (cut.lo >= cut.hi) return true;
      if (!out.empty() && out.back().hi == cut.lo) {
        out.back().hi = cut.hi;
      } else {
        out.push_back(cut);
      }
      return true;
    }));
    return out;
  }
  std::vector<Range> touched(const void* p, size_t bytes, Pages which) {
    std::vector<Range> out;
    space_.for_each_touched({address(p), address(p) + bytes}, which,
                            [&](Range range) { out.push_back(range); });
    return out;
  }
  AddressSpace space_;
};

int global = 1;

TEST_F(AddressSpaceTest, ShowsGlobalsStackAndHeap) {
  int local = 0;
  auto* heap = new int;
  bool saw_global = false, saw_stack = false, saw_heap = false;
  ASSERT_TRUE(space_.for_each_mapping([&](const Mapping& m) {
    if (m.range.contains(address(&global))) saw_global = m.writable && m.readable;
    if (m.range.contains(address(&local))) saw_stack = m.writable && m.main_stack;
    if (m.range.contains(address(heap))) saw_heap = m.writable && !m.shared;
    return true;
  }));
  EXPECT_TRUE(saw_global && saw_stack && saw_heap);
  delete heap;
}

TEST_F(AddressSpaceTest, StopsWhenTold) {
  int seen = 0;
  EXPECT_TRUE(space_.for_each_mapping([&](const Mapping&) { return ++seen < 3; }));
  EXPECT_EQ(seen, 3);
}

// Neighbours with equal rights are one mapping to the kernel; ours must be cut out of it.
TEST_F(AddressSpaceTest, OursIsCutOutOfAMergedMapping) {
  auto* base =
      static_cast<char*>(mmap(nullptr, 9 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  munmap(base, 9 * kPage);
  auto at = [&](int page) { return address(base) + static_cast<size_t>(page) * kPage; };
  auto* low = mmap(reinterpret_cast<void*>(at(0)), 3 * kPage, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  ASSERT_EQ(address(low), at(0));
  void* ours = reserve(3 * kPage, kPage, at(3));
  ASSERT_EQ(address(ours), at(3));
  ASSERT_TRUE(commit(ours, 3 * kPage));
  auto* high = mmap(reinterpret_cast<void*>(at(6)), 3 * kPage, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  ASSERT_EQ(address(high), at(6));

  const auto parts = shown(at(0), at(9));
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].lo, at(0));
  EXPECT_EQ(parts[0].hi, at(3));
  EXPECT_EQ(parts[1].lo, at(6));
  EXPECT_EQ(parts[1].hi, at(9));

  release(ours, 3 * kPage);
  EXPECT_EQ(shown(at(3), at(6)).size(), 0u);
  munmap(low, 3 * kPage);
  munmap(high, 3 * kPage);
}

TEST_F(AddressSpaceTest, ClaimedRangesAreNotShown) {
  static char data[4 * kPage] __attribute__((aligned(4096))) = {1};
  ASSERT_EQ(shown(address(data), address(data) + 4 * kPage).size(), 1u);
  claim_own({address(data) + kPage, address(data) + 2 * kPage});
  EXPECT_EQ(shown(address(data), address(data) + 4 * kPage).size(), 2u);
}

// Mappings of any kind beside each other, parts of them touched, holes between some.
class Neighbours : public AddressSpaceTest {
 protected:
  static constexpr size_t kPages = 3000;

  void SetUp() override {
    AddressSpaceTest::SetUp();
    base_ = static_cast<char*>(
        mmap(nullptr, kPages * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(base_, MAP_FAILED);
    file_ = memfd_create("pages", 0);
    ASSERT_EQ(ftruncate(file_, kPages * kPage), 0);
    for (size_t page = 0; page < kPages;) page += make_mapping(page);
  }
  void TearDown() override {
    munmap(base_, kPages * kPage);
    close(file_);
    AddressSpaceTest::TearDown();
  }

  // Returns its size.
  size_t make_mapping(size_t page) {
    const size_t pages =
        std::min<size_t>(1 + random() % (random() % 20 == 0 ? 200 : 6), kPages - page);
    char* at = base_ + page * kPage;
    const bool of_file = random() % 4 == 0;
    const int protection = PROT_READ | PROT_WRITE;
    EXPECT_EQ(
        mmap(at, pages * kPage, protection, MAP_FIXED | MAP_PRIVATE | (of_file ? 0 : MAP_ANONYMOUS),
             of_file ? file_ : -1, 0),
        at);
    madvise(at, pages * kPage, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < pages; ++i) {
      if (random() % 2) continue;
      volatile char* touched = at + i * kPage;
      if (random() % 4)
        *touched = 1;
      else
        (void)*touched;
    }
    const unsigned kind = random() % 8;
    if (kind == 0) mprotect(at, pages * kPage, PROT_NONE);
    if (kind == 1) munmap(at, pages * kPage);
    if (kind == 2) return pages;
    const size_t cut = random() % 5 ? 0 : random() % 4000;
    const Pages which = kind == 0 ? Pages::kHidden : of_file ? Pages::kPrivate : Pages::kTouched;
    if (kind != 1)
      queries_.push_back({{address(at) + cut, address(at) + pages * kPage - cut % 50}, which});
    return pages;
  }

  std::minstd_rand random;
  char* base_ = nullptr;
  int file_ = -1;
  std::vector<PageQuery> queries_;
};

using Parts = std::vector<std::tuple<size_t, uintptr_t, uintptr_t>>;

TEST_F(Neighbours, ToldTogetherAreAsToldAlone) {
  // Two in one page as well.
  queries_.back().range.hi -= kPage / 2;
  const Range last = queries_.back().range;
  queries_.push_back({{last.hi, last.hi + kPage / 4}, queries_.back().which});
  Parts alone, together;
  for (size_t i = 0; i < queries_.size(); ++i)
    space_.for_each_touched(queries_[i].range, queries_[i].which,
                            [&](Range part) { alone.emplace_back(i, part.lo, part.hi); });
  space_.for_each_touched(queries_.data(), queries_.size(), [&](size_t i, Range part) {
    together.emplace_back(i, part.lo, part.hi);
  });
  EXPECT_GT(alone.size(), 300u);
  EXPECT_EQ(together, alone);
}

// How many pages this process has in memory.
size_t resident_pages() {
  std::ifstream file("/proc/self/statm");
  size_t whole = 0, resident = 0;
  file >> whole >> resident;
  return resident;
}

TEST_F(Neighbours, AreNotTouchedByTelling) {
  size_t parts = 0;
  const auto count = [&] {
    space_.for_each_touched(queries_.data(), queries_.size(), [&](size_t, Range) { ++parts; });
  };
  count();
  const size_t before = resident_pages();
  count();
  EXPECT_LE(resident_pages(), before + 8);
  EXPECT_GT(parts, 600u);
}

TEST_F(AddressSpaceTest, OnlyTouchedPagesOfAnAnonymousMapping) {
  auto* p = static_cast<char*>(mmap(nullptr, 1000 * kPage, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  madvise(p, 1000 * kPage, MADV_NOHUGEPAGE);
  for (int page : {3, 4, 5, 700}) p[static_cast<size_t>(page) * kPage + 17] = 1;
  for (Pages which : {Pages::kTouched, Pages::kPrivate}) {
    const auto found = touched(p, 1000 * kPage, which);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].lo, address(p) + 3 * kPage);
    EXPECT_EQ(found[0].hi, address(p) + 6 * kPage);
    EXPECT_EQ(found[1].lo, address(p) + 700 * kPage);
    EXPECT_EQ(found[1].hi, address(p) + 701 * kPage);
  }
  // Outward to whole pages.
  const auto inner = touched(p + 4 * kPage + 5, 1, Pages::kTouched);
  ASSERT_EQ(inner.size(), 1u);
  EXPECT_EQ(inner[0].lo, address(p) + 4 * kPage);
  EXPECT_EQ(inner[0].size(), kPage);
  munmap(p, 1000 * kPage);
}

TEST_F(AddressSpaceTest, ManySeparatePagesAreAllFound) {
  constexpr size_t kCount = 3000;
  auto* p = static_cast<char*>(mmap(nullptr, 2 * kCount * kPage, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  madvise(p, 2 * kCount * kPage, MADV_NOHUGEPAGE);
  for (size_t i = 0; i < kCount; ++i) p[2 * i * kPage] = 1;
  const auto found = touched(p, 2 * kCount * kPage, Pages::kTouched);
  ASSERT_EQ(found.size(), kCount);
  for (size_t i = 0; i < kCount; ++i) ASSERT_EQ(found[i].lo, address(p) + 2 * i * kPage);
  munmap(p, 2 * kCount * kPage);
}

class File {
 public:
  explicit File(size_t pages) : fd_(memfd_create("test", MFD_CLOEXEC)) {
    std::string text(pages * kPage, 'f');
    EXPECT_EQ(pwrite(fd_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  ~File() { close(fd_); }
  int fd() const { return fd_; }

 private:
  int fd_;
};

TEST_F(AddressSpaceTest, PrivatePagesOfAFileAreTheWrittenOnes) {
  File file(8);
  auto* p = static_cast<char*>(
      mmap(nullptr, 8 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.fd(), 0));
  volatile char sink = 0;
  for (size_t page = 0; page < 8; ++page) sink = p[page * kPage];
  (void)sink;
  p[2 * kPage] = 1;
  const auto written = touched(p, 8 * kPage, Pages::kPrivate);
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].lo, address(p) + 2 * kPage);
  EXPECT_EQ(written[0].size(), kPage);
  const auto all = touched(p, 8 * kPage, Pages::kTouched);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].size(), 8 * kPage);
  munmap(p, 8 * kPage);
}

TEST_F(AddressSpaceTest, SharedPagesCountWhoeverWroteThem) {
  auto* p = static_cast<char*>(
      mmap(nullptr, 8 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  p[2 * kPage] = 1;
  const pid_t child = fork();
  if (child == 0) {
    // The child has no page table entries for it.
    AddressSpace own;
    bool found = false;
    if (!own.open()) _exit(2);
    own.for_each_touched({address(p), address(p) + 8 * kPage}, Pages::kShared,
                         [&](Range range) { found |= range.contains(address(p) + 2 * kPage); });
    _exit(found ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  munmap(p, 8 * kPage);
}

TEST_F(AddressSpaceTest, GuardPagesAreNotTouched) {
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
  auto* p = static_cast<char*>(
      mmap(nullptr, 4 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  std::memset(p, 1, 4 * kPage);
  if (madvise(p + kPage, kPage, MADV_GUARD_INSTALL) != 0) GTEST_SKIP() << "kernel before 6.13";
  const auto found = touched(p, 4 * kPage, Pages::kTouched);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].hi, address(p) + kPage);
  EXPECT_EQ(found[1].lo, address(p) + 2 * kPage);
  munmap(p, 4 * kPage);
}

TEST_F(AddressSpaceTest, GuardedReadStopsAtATruncatedFilesEnd) {
  File file(4);
  auto* p = static_cast<char*>(
      mmap(nullptr, 4 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd(), 0));
  ASSERT_EQ(ftruncate(file.fd(), 2 * kPage), 0);
  std::vector<char> copy(4 * kPage, 'z');
  EXPECT_EQ(space_.read_guarded(copy.data(), address(p) + 100, 4 * kPage - 100), 2 * kPage - 100);
  EXPECT_EQ(copy[0], 'f');
  EXPECT_EQ(copy[2 * kPage - 101], 'f');
  EXPECT_EQ(space_.read_guarded(copy.data(), address(p) + 2 * kPage, 1), 0u);
  munmap(p, 4 * kPage);
  EXPECT_EQ(space_.read_guarded(copy.data(), address(p), kPage), 0u);
}

TEST_F(AddressSpaceTest, GuardedReadOfMuch) {
  std::vector<char> from((5 << 20) + 3), to(from.size());
  for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<char>(i * 31);
  EXPECT_EQ(space_.read_guarded(to.data(), address(from.data()), from.size()), from.size());
  EXPECT_EQ(from, to);
}

TEST_F(AddressSpaceTest, DescriptorsAreClosedOnExec) {
  int open_ones = 0;
  for (int fd = 0; fd < 64; ++fd) {
    char link[64], target[256] = {};
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, target, sizeof target - 1) <= 0) continue;
    const std::string text = target;
    if (text.find("/maps") == std::string::npos && text.find("/pagemap") == std::string::npos)
      continue;
    ++open_ones;
    EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_EQ(open_ones, 2);
}

TEST(AddressSpaceOpen, FailsWithoutDescriptors) {
  std::vector<int> fds;
  for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) fds.push_back(fd);
  AddressSpace space;
  EXPECT_FALSE(space.open());
  close(fds.back());
  fds.pop_back();
  ASSERT_TRUE(space.open());  // one is enough: then every page counts as touched
  char byte = 0;
  size_t found = 0;
  space.for_each_touched({address(&byte), address(&byte) + 1}, Pages::kTouched,
                         [&](Range range) { found += range.size(); });
  EXPECT_EQ(found, kPage);
  space.close();
  for (int fd : fds) close(fd);
}

}  // namespace
}  // namespace heaprake::platform
