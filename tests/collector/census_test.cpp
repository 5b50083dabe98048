// Reference counts and referrers are found by scanning alone.

#include <link.h>
#include <sys/mman.h>

#include <algorithm>
#include <memory>
#include <random>

#include "tests/collector/heap_fixture.h"

namespace heaprake::test {
namespace {

void** volatile root_slot;

size_t count_now(const Hidden& block) {
  size_t count = SIZE_MAX;
  struct Arg {
    const Hidden* block;
    size_t* count;
  } arg{&block, &count};
  clear_stack();
  platform::heaprake_with_context(
      [](const platform::CallContext* context, void* p) {
        auto* a = static_cast<Arg*>(p);
        collector::count_references(heap::find_block(a->block->address()),
                                    platform::thread_of_call(*context), a->count);
      },
      &arg);
  return count;
}

size_t list_now(const Hidden& block, gc_reference* out, size_t capacity) {
  size_t count = SIZE_MAX;
  struct Arg {
    const Hidden* block;
    gc_reference* out;
    size_t capacity;
    size_t* count;
  } arg{&block, out, capacity, &count};
  clear_stack();
  platform::heaprake_with_context(
      [](const platform::CallContext* context, void* p) {
        auto* a = static_cast<Arg*>(p);
        collector::list_references(heap::find_block(a->block->address()),
                                   platform::thread_of_call(*context), a->out, a->capacity,
                                   a->count);
      },
      &arg);
  return count;
}

__attribute__((noinline)) void build(Hidden* a, Hidden* b) {
  auto** one = static_cast<void**>(heap::allocate_zeroed(1, 64));
  auto** two = static_cast<void**>(heap::allocate_zeroed(1, 64));
  one[0] = two;
  one[5] = reinterpret_cast<char*>(two) + 63;
  two[2] = one;
  two[3] = two;
  root_slot = one;
  *a = Hidden(one);
  *b = Hidden(two);
}

class CensusTest : public HeapTest {};

TEST_F(CensusTest, CountsEachWordOnce) {
  Hidden a, b;
  build(&a, &b);
  EXPECT_EQ(count_now(a), 2u);  // root_slot, two[2]
  EXPECT_EQ(count_now(b), 3u);  // one[0], one[5] (interior), two[3] (itself)
  root_slot = nullptr;
  EXPECT_EQ(count_now(a), 1u);
  EXPECT_EQ(collect_now().blocks, 2u);
}

TEST_F(CensusTest, NamesReferrers) {
  Hidden a, b;
  build(&a, &b);
  gc_reference found[4];
  ASSERT_EQ(list_now(a, found, 4), 2u);
  EXPECT_EQ(found[0].kind, GC_REFERENCE_GLOBAL);
  EXPECT_NE(strstr(found[0].name, "collector_test"), nullptr) << found[0].name;
  EXPECT_EQ(found[1].kind, GC_REFERENCE_BLOCK);
  EXPECT_EQ(found[1].holder, b.address());
  EXPECT_EQ(found[1].offset, 16u);
  memset(found, 0, sizeof found);
  root_slot = nullptr;
  collect_now();
}

// A page of the program's own right behind the last of some module's, or nullptr if there is none
// with room behind it.
char* page_behind_a_module() {
  char* page = nullptr;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* found) {
        uintptr_t end = 0;
        for (int i = 0; i < info->dlpi_phnum; i++) {
          const auto& segment = info->dlpi_phdr[i];
          if (segment.p_type == PT_LOAD)
            end = std::max(end, info->dlpi_addr + segment.p_vaddr + segment.p_memsz);
        }
        end = (end + platform::kPageSize - 1) & ~(platform::kPageSize - 1);
        void* p = mmap(reinterpret_cast<void*>(end), platform::kPageSize, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (p == MAP_FAILED) return 0;
        *static_cast<void**>(found) = p;
        return 1;
      },
      &page);
  return page;
}

TEST_F(CensusTest, GlobalsEndWhereTheirModuleDoes) {
  auto* page = reinterpret_cast<void**>(page_behind_a_module());
  if (!page) GTEST_SKIP() << "no room behind any module";
  Hidden a, b;
  build(&a, &b);
  page[3] = static_cast<void*>(root_slot);
  root_slot = nullptr;
  clear_stack();
  gc_reference found[4];
  ASSERT_EQ(list_now(a, found, 4), 2u);
  EXPECT_EQ(found[0].kind, GC_REFERENCE_MAPPING) << found[0].name;
  EXPECT_STREQ(found[0].name, "");
  munmap(page, platform::kPageSize);
  collect_now();
}

TEST_F(CensusTest, APinIsAReference) {
  Hidden a, b;
  build(&a, &b);
  ASSERT_TRUE(pin(a));
  EXPECT_EQ(count_now(a), 3u);
  unpin(a);
  root_slot = nullptr;
  collect_now();
}

TEST_F(CensusTest, ReferentsComeInTheOrderOfTheWords) {
  Hidden a, b;
  build(&a, &b);
  uintptr_t out[4] = {};
  EXPECT_EQ(collector::list_referents(heap::find_block(a.address()), out, 4), 2u);
  EXPECT_EQ(out[0], b.address());
  EXPECT_EQ(out[1], b.address());
  EXPECT_EQ(collector::list_referents(heap::find_block(b.address()), out, 1), 2u);
  EXPECT_EQ(out[0], a.address());
  memset(out, 0, sizeof out);
  root_slot = nullptr;
  collect_now();
}

// Blocks of every kind and size, some of them freed with references in them, and how many words of
// those that live refer to the target.
struct Crowd {
  static constexpr size_t kBlocks = 3000;
  Hidden blocks[kBlocks];
  bool alive[kBlocks];
  size_t references = 0;
};

void* some_block(size_t i, std::mt19937& random) {
  const size_t small = 1 + random() % 400;
  // Two of them beyond what mimalloc serves: those lie at the top of the range, up to its last
  // slice.
  if (i % 1500 == 11) return heap::allocate(size_t{100} << 20);
  if (i % 500 == 7) return heap::allocate((1 << 20) + random() % (3 << 20));
  if (i % 100 == 3) return heap::allocate(1 + random() % 300'000);
  if (i % 20 == 1) return heap::allocate_aligned(size_t{32} << random() % 8, small);
  return i % 10 == 4 ? heap::allocate_leaf(small) : heap::allocate(small);
}

__attribute__((noinline)) void crowd(Crowd* all, Hidden target, std::mt19937& random) {
  for (size_t i = 0; i < Crowd::kBlocks; i++) {
    void* p = some_block(i, random);
    const heap::Block block = heap::find_block(reinterpret_cast<uintptr_t>(p));
    auto* words = static_cast<uintptr_t*>(p);
    size_t here = 0;
    // Of the largest only the beginning, and so only there it is touched.
    for (size_t word = 0; word < std::min<size_t>(block.size / 8, 1 << 20); word++) {
      const bool refers = random() % (i % 3 ? 7 : 3000) == 0;
      words[word] = refers ? target.address() + random() % 64 : random();
      here += refers;
    }
    all->blocks[i] = Hidden(p);
    all->alive[i] = random() % 4 != 0;
    if (all->alive[i] && !block.leaf) all->references += here;
  }
  for (size_t i = 0; i < Crowd::kBlocks; i++) {
    if (!all->alive[i]) heap::release(all->blocks[i].get());
  }
}

TEST_F(CensusTest, CountsWordsOfLiveBlocksOnly) {
  for (unsigned markers : {1u, 3u}) {
    collector::Options options;
    options.markers = markers;
    configure(options);
    std::mt19937 random(markers);
    auto all = std::make_unique<Crowd>();
    const Hidden target(heap::allocate_zeroed(1, 64));
    const size_t before = count_now(target);
    crowd(all.get(), target, random);
    EXPECT_EQ(count_now(target), before + all->references);
    auto found = std::make_unique<gc_reference[]>(all->references + before);
    EXPECT_EQ(list_now(target, found.get(), all->references + before), before + all->references);
    for (size_t i = before; i < before + all->references; i++) {
      ASSERT_EQ(found[i].kind, GC_REFERENCE_BLOCK);
      const auto* word = reinterpret_cast<uintptr_t*>(found[i].holder + found[i].offset);
      ASSERT_LT(*word - target.address(), 64u);
    }
    // Freed memory of libc's is scanned as well.
    std::fill_n(found.get(), all->references + before, gc_reference{});
    for (size_t i = 0; i < Crowd::kBlocks; i++) {
      if (all->alive[i]) heap::release(all->blocks[i].get());
    }
    heap::release(target.get());
  }
}

}  // namespace
}  // namespace heaprake::test
