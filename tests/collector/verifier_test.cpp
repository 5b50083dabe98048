// The verifier names what the marker missed, and marks it.

#include "collector/verifier.h"

#include "collector/filter.h"
#include "collector/marker.h"
#include "collector/session.h"
#include "collector/stopped_world.h"
#include "tests/collector/heap_fixture.h"

namespace heaprake::test {
namespace {

void** volatile holder;

__attribute__((noinline)) void build(Hidden* parent, Hidden* child) {
  holder = static_cast<void**>(heap::allocate_zeroed(1, 64));
  holder[3] = heap::allocate_zeroed(1, 48);
  *parent = Hidden(holder);
  *child = Hidden(holder[3]);
}

class VerifierTest : public HeapTest {};

TEST_F(VerifierTest, NamesAMissedBlockAndItsParent) {
  Hidden parent, child;
  build(&parent, &child);
  collector::MarkBits bits;
  collector::RootSet roots;
  collector::Miss seen{};
  size_t honest = 99, misses = 99;
  auto work = [&](const platform::StoppedThread& self) {
    collector::run_session(self, collector::Wait::kYes, [&] {
      collector::StoppedWorld world(self, roots, false);
      ASSERT_TRUE(world.ok());
      ASSERT_TRUE(bits.prepare(0));
      collector::mark(roots, world.space(), collector::Filter::for_heap({4}), 1, bits);
      auto record = [&](const collector::Miss& miss) { seen = miss; };
      honest = collector::verify_marks(roots, world.space(), {4}, bits, record);
      size_t granule = (child.address() - heap::geometry.base) / heap::kGranule;
      bits.clear(granule);
      misses = collector::verify_marks(roots, world.space(), {4}, bits, record);
      EXPECT_TRUE(bits.test(granule));
    });
  };
  platform::heaprake_with_context(
      [](const platform::CallContext* context, void* arg) {
        (*static_cast<decltype(work)*>(arg))(platform::thread_of_call(*context));
      },
      &work);
  EXPECT_EQ(honest, 0u);
  EXPECT_EQ(misses, 1u);
  EXPECT_EQ(seen.block.address, child.address());
  // The stack may still hold the child's address; then the parent is a root.
  if (seen.parent) {
    EXPECT_EQ(seen.parent.address, parent.address());
  }
  holder = nullptr;
}

}  // namespace
}  // namespace heaprake::test
