// Whether a message may carry an address: the same answer of each instruction set, at any place and
// length.
#include <algorithm>

#include "collector/cpu.h"
#include "heap_fixture.h"

namespace heaprake::test {
namespace {

constexpr size_t kMost = 1500;

class MayCarry : public HeapTest, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    HeapTest::SetUp();
    machine_ = collector::cpu();
    if (GetParam() && !machine_.avx512) GTEST_SKIP() << "no AVX-512 here";
    collector::override_cpu({false, GetParam()});
    collector::set_image({});
    // What lies in the heap is read without being copied.
    bytes_ = static_cast<unsigned char*>(heap::allocate(kMost + sizeof(uintptr_t)));
    std::fill_n(bytes_, kMost, static_cast<unsigned char>('x'));
  }
  void TearDown() override { collector::override_cpu(machine_); }

  unsigned char* bytes_ = nullptr;

 private:
  collector::Cpu machine_;
};

TEST_P(MayCarry, NotWithoutAnAddress) {
  for (size_t size = 0; size < sizeof(uintptr_t); ++size)
    EXPECT_FALSE(collector::may_carry(bytes_, size)) << size;
  for (size_t size = 16; size <= kMost; ++size)
    EXPECT_FALSE(collector::may_carry(bytes_, size)) << size;
}

TEST_P(MayCarry, AnAddressAtAnyMultipleOfFour) {
  const auto address = reinterpret_cast<uintptr_t>(bytes_);
  for (size_t size = 16; size <= kMost; size += size < 600 ? 1 : 37) {
    for (size_t at = 0; at + sizeof address <= size; at += 4) {
      memcpy(bytes_ + at, &address, sizeof address);
      ASSERT_TRUE(collector::may_carry(bytes_, size)) << at << " of " << size;
      memset(bytes_ + at, 'x', sizeof address);
    }
  }
}

TEST_P(MayCarry, NotForOneBehindTheEnd) {
  const auto address = reinterpret_cast<uintptr_t>(bytes_);
  for (size_t size = 256; size < kMost; ++size) {
    memcpy(bytes_ + size, &address, sizeof address);
    EXPECT_FALSE(collector::may_carry(bytes_, size)) << size;
    memset(bytes_ + size, 'x', sizeof address);
  }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, MayCarry, testing::Bool());

}  // namespace
}  // namespace heaprake::test
