#include "heap_fixture.h"

namespace {

class MisuseTest : public Heap {
 protected:
  struct Call {
    const void* p;
    std::string name;
  };
  static inline std::vector<Call> calls;
  static inline bool repair = false;
  static inline heap::Block repaired;
  static inline uint8_t repaired_byte;

  void SetUp() override {
    Heap::SetUp();
    heap::set_misuse_handler([](const void* p, const char* call) {
      calls.push_back({p, call});
      if (repair) heap::restore(repaired, repaired_byte);
      return repair;
    });
  }
};

TEST_F(MisuseTest, Classification) {
  char* p = static_cast<char*>(heap::allocate(100));
  int local;
  EXPECT_EQ(heap::classify(p), heap::Misuse::kNone);
  EXPECT_EQ(heap::classify(p + 1), heap::Misuse::kInterior);
  EXPECT_EQ(heap::classify(p + 16), heap::Misuse::kInterior);
  EXPECT_EQ(heap::classify(&local), heap::Misuse::kOutside);
  EXPECT_EQ(heap::classify(nullptr), heap::Misuse::kOutside);
  heap::release(p);
  EXPECT_EQ(heap::classify(p), heap::Misuse::kUnrecorded);
  auto* nowhere = reinterpret_cast<char*>(heap::geometry.base + heap::geometry.size / 2);
  EXPECT_EQ(heap::classify(nowhere), heap::Misuse::kUnrecorded);
}

TEST_F(MisuseTest, BadAddressesAreReportedAndIgnored) {
  char* p = static_cast<char*>(heap::allocate(100));
  char* large = static_cast<char*>(heap::allocate(100000));
  char local[32];
  auto* nowhere = reinterpret_cast<char*>(heap::geometry.base + heap::geometry.size / 2);
  for (char* bad : {p + 1, p + 16, large + 4096, local, nowhere}) {
    calls.clear();
    heap::release(bad);
    EXPECT_EQ(heap::reallocate(bad, 10), nullptr);
    EXPECT_EQ(heap::usable_size(bad), 0u);
    ASSERT_EQ(calls.size(), 3u);
    EXPECT_EQ(calls[0].name, "free");
    EXPECT_EQ(calls[1].name, "realloc");
    EXPECT_EQ(calls[2].name, "malloc_usable_size");
    for (const Call& call : calls) EXPECT_EQ(call.p, bad);
  }
  EXPECT_EQ(heap::find_block(address_of(p)).address, address_of(p));
  EXPECT_EQ(heap::find_block(address_of(large)).address, address_of(large));
  calls.clear();
  heap::release(nullptr);
  EXPECT_TRUE(calls.empty());
}

TEST_F(MisuseTest, DoubleFreeIsReportedAndTheHeapGoesOn) {
  for (size_t size : {10u, 5000u, 100000u, 20u << 20}) {
    void* p = heap::allocate(size);
    heap::release(p);
    calls.clear();
    heap::release(p);
    ASSERT_EQ(calls.size(), 1u) << size;
    void* a = heap::allocate(size);
    void* b = heap::allocate(size);
    EXPECT_NE(a, b);
  }
}

TEST_F(MisuseTest, AHandlerMayPutTheBlockBack) {
  void* p = heap::allocate(100);
  repaired = heap::find_block(address_of(p));
  repaired_byte = heap::unrecord(repaired);
  repair = true;
  calls.clear();
  EXPECT_EQ(heap::usable_size(p), 112u);
  repaired_byte = heap::unrecord(repaired);
  heap::release(p);
  EXPECT_EQ(calls.size(), 2u);
  EXPECT_TRUE(all_blocks().empty());
}

}  // namespace
