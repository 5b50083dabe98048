// Large mappings of a process that may not read its pagemap, as one that has changed its user.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <vector>

#include "platform/platform.h"

namespace heaprake::platform {
namespace {

constexpr size_t kLarge = LargeMappings::kLarge;

Range range_of(const void* p, size_t bytes) {
  return {reinterpret_cast<uintptr_t>(p), reinterpret_cast<uintptr_t>(p) + bytes};
}

std::vector<Range> touched(const AddressSpace& space, const void* p, size_t bytes, Pages which) {
  std::vector<Range> out;
  space.for_each_touched(range_of(p, bytes), which, [&](Range range) { out.push_back(range); });
  return out;
}

// Whoever asks about pages one by one dies.
void forbid_mincore() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mincore, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{4, program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
    _exit(70);
}

constexpr int kSkipped = 77;

// Runs `body` in a child that may not read its pagemap; returns its result, or 128 + its signal.
template <class Body>
int without_pagemap(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(71);
    if (prctl(PR_SET_DUMPABLE, 0) != 0) _exit(72);
    if (open("/proc/self/pagemap", O_RDONLY) >= 0) _exit(kSkipped);
    _exit(body());
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

char* map(int protection, int flags, int fd = -1) {
  void* p = mmap(nullptr, kLarge, protection, flags | MAP_NORESERVE, fd, 0);
  if (p == MAP_FAILED) _exit(kSkipped);
  madvise(p, kLarge, MADV_NOHUGEPAGE);
  return static_cast<char*>(p);
}

class LargeMappingsTest : public ::testing::Test {
 protected:
  template <class Body>
  void expect_zero(Body body) {
    const int result = without_pagemap(body);
    if (result == kSkipped) GTEST_SKIP() << "no address space, or pagemap is readable";
    EXPECT_EQ(result, 0);
  }
};

TEST_F(LargeMappingsTest, EmptyReservationsAreNotLookedAtPageByPage) {
  expect_zero([] {
    const char* reserved = map(PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS);
    const volatile char* writable = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    if (writable[kLarge / 2] != 0) return 1;  // the kernel's page of zeros
    forbid_mincore();
    AddressSpace space;
    if (!space.open()) return 2;
    if (!touched(space, reserved, kLarge, Pages::kHidden).empty()) return 3;
    if (!touched(space, const_cast<char*>(writable), kLarge, Pages::kTouched).empty()) return 4;
    return touched(space, const_cast<char*>(writable) + kPageSize, kLarge / 2, Pages::kPrivate)
                   .empty()
               ? 0
               : 5;
  });
}

TEST_F(LargeMappingsTest, UnwrittenFilesAreNotLookedAtPageByPage) {
  const int fd = memfd_create("test", MFD_CLOEXEC);
  ASSERT_EQ(ftruncate(fd, kLarge), 0);
  expect_zero([fd] {
    const volatile char* p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
    if (p[kLarge / 2] != 0) return 1;
    forbid_mincore();
    AddressSpace space;
    if (!space.open()) return 2;
    return touched(space, const_cast<char*>(p), kLarge, Pages::kPrivate).empty() ? 0 : 3;
  });
  close(fd);
}

TEST_F(LargeMappingsTest, WhatIsInThemIsFound) {
  expect_zero([] {
    char* p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    char* page = p + kLarge / 3 / kPageSize * kPageSize;
    *page = 1;
    char* hidden = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    hidden[kLarge - 1] = 1;
    mprotect(hidden, kLarge, PROT_NONE);
    AddressSpace space;
    if (!space.open()) return 2;
    const auto found = touched(space, p, kLarge, Pages::kTouched);
    if (found.size() != 1 || found[0].lo != range_of(page, 1).lo) return 3;
    if (found[0].size() != kPageSize) return 4;
    const auto last = touched(space, hidden, kLarge, Pages::kHidden);
    if (last.size() != 1 || last[0].hi != range_of(hidden, kLarge).hi) return 5;
    return 0;
  });
}

TEST_F(LargeMappingsTest, WrittenPagesOfAFileAreFound) {
  const int fd = memfd_create("test", MFD_CLOEXEC);
  ASSERT_EQ(ftruncate(fd, kLarge), 0);
  expect_zero([fd] {
    char* p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
    p[kLarge / 2] = 1;
    AddressSpace space;
    if (!space.open()) return 2;
    for (const Range& range : touched(space, p, kLarge, Pages::kPrivate))
      if (range.contains(range_of(p + kLarge / 2, 1).lo)) return 0;
    return 3;
  });
  close(fd);
}

}  // namespace
}  // namespace heaprake::platform
