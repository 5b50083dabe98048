// Containers as libstdc++ and libc++ lay them out, word by word; and the same with a word changed,
// which are none.
#include "cli/analysis/containers.h"

#include <gtest/gtest.h>

#include <bit>

#include "cli/analysis/analysis.h"
#include "cli/analysis/container_kinds.h"
#include "cli/analysis/structures.h"
#include "snapshot_builder.h"

namespace heaprake::cli {
namespace {

// Blocks with words; each word that is an address in a block becomes a reference.
class Containers : public ::testing::Test {
 protected:
  uint64_t block(uint64_t requested) {
    const uint64_t index = builder_.block(requested);
    builder_.blocks[index].words.assign(builder_.blocks[index].size / 8, 0);
    return index;
  }
  uint64_t address(uint64_t index, uint64_t word = 0) const {
    return builder_.blocks[index].address + 8 * word;
  }
  uint64_t& word(uint64_t index, size_t i) { return builder_.blocks[index].words[i]; }
  void set(uint64_t index, const std::vector<uint64_t>& words, size_t at = 0) {
    for (size_t i = 0; i < words.size(); ++i) word(index, at + i) = words[i];
  }

  Snapshot snapshot() {
    test::SnapshotBuilder whole = builder_;
    for (auto& block : whole.blocks) {
      for (size_t i = 0; i < block.words.size(); ++i) {
        for (size_t to = 0; to < whole.blocks.size(); ++to) {
          const uint64_t inner = block.words[i] - whole.blocks[to].address;
          if (inner < whole.blocks[to].size) block.edges.push_back({to, 8 * i, inner});
        }
      }
    }
    return whole.snapshot();
  }
  // What the first block's containers are called.
  std::vector<std::string> names() {
    const Snapshot s = snapshot();
    std::vector<std::string> names;
    for (const Container& container : containers_in(s, 0)) names.push_back(name_of(container));
    return names;
  }
  // The container must be seen, and must not be once any of these words is another one.
  void expect(const std::string& name, const std::vector<std::pair<uint64_t, size_t>>& telling) {
    EXPECT_EQ(names(), std::vector<std::string>{name});
    for (const auto& [index, i] : telling) {
      const uint64_t old = word(index, i);
      word(index, i) = old + 32;
      const std::vector<std::string> found = names();
      EXPECT_TRUE(found.empty() || found[0] != name) << "block " << index << " word " << i;
      word(index, i) = old;
    }
  }

  test::SnapshotBuilder builder_;
};

TEST_F(Containers, AString) {
  const uint64_t owner = block(32), text = block(51);
  set(owner, {address(text), 50, 50});
  expect("std::string of 50 characters", {{owner, 0}, {owner, 1}, {owner, 2}});
  word(text, 6) = 0xff0000;  // no NUL at its end
  EXPECT_TRUE(names().empty());
}

TEST_F(Containers, AShortString) {
  const uint64_t owner = block(48);
  set(owner, {address(owner, 3), 5, 0x6f6c6c6568}, 1);
  expect("std::string of 5 characters", {{owner, 1}, {owner, 2}});
  const Findings findings = [this] {
    const Snapshot s = snapshot();
    return analyse(s, find_types(s));
  }();
  // It refers to itself, which closes no cycle that a person would know.
  ASSERT_EQ(findings.lost.size(), 1u);
  EXPECT_EQ(findings.lost[0].closing_edge, -1);
  EXPECT_EQ(findings.lost[0].title, "block of 48 bytes");
}

TEST_F(Containers, AStringOfLibcxx) {
  const uint64_t owner = block(24), text = block(64);
  set(owner, {64 | 1, 50, address(text)});
  expect("std::string of 50 characters", {{owner, 0}, {owner, 1}, {owner, 2}});
}

TEST_F(Containers, AVector) {
  const uint64_t owner = block(24), elements = block(80);
  set(owner, {address(elements), address(elements, 5), address(elements, 10)});
  expect("std::vector of 40 bytes", {{owner, 0}, {owner, 2}});
}

TEST_F(Containers, AList) {
  const uint64_t owner = block(40), one = block(24), two = block(24);
  set(owner, {address(one), address(two), 2}, 1);
  set(one, {address(two), address(owner, 1)});
  set(two, {address(owner, 1), address(one)});
  expect("std::list of 2 entries",
         {{owner, 1}, {owner, 2}, {owner, 3}, {one, 0}, {one, 1}, {two, 0}, {two, 1}});
}

TEST_F(Containers, EmptyOnes) {
  const uint64_t list = block(24);
  set(list, {address(list), address(list), 0});
  EXPECT_EQ(names(), std::vector<std::string>{"std::list of 0 entries"});
  builder_ = {};
  const uint64_t map = block(48);
  set(map, {0, 0, 0, address(map, 1), address(map, 1), 0});
  EXPECT_EQ(names(), std::vector<std::string>{"std::map or set of 0 entries (std::_Rb_tree)"});
}

TEST_F(Containers, AMap) {
  const uint64_t map = block(48), root = block(48), left = block(48), right = block(48);
  set(map, {0, 0, address(root), address(left), address(right), 3});
  set(root, {1, address(map, 1), address(left), address(right), 77, address(map)});
  set(left, {0, address(root), 0, 0});
  set(right, {0, address(root), 0, 0});
  expect("std::map or set of 3 entries (std::_Rb_tree)", {{map, 2},
                                                          {map, 3},
                                                          {map, 4},
                                                          {map, 5},
                                                          {root, 1},
                                                          {root, 2},
                                                          {root, 3},
                                                          {left, 1},
                                                          {right, 1},
                                                          {right, 3}});
}

TEST_F(Containers, ALostMapIsOneMember) {
  const uint64_t map = block(48), root = block(48), left = block(48), text = block(40);
  set(map, {0, 0, address(root), address(left), address(root), 2});
  set(root, {1, address(map, 1), address(left), 0});
  set(left, {0, address(root), 0, 0, 0, address(text)});
  const Snapshot s = snapshot();
  const Findings findings = analyse(s, find_types(s));
  ASSERT_EQ(findings.lost.size(), 1u);
  const Finding& finding = findings.lost[0];
  EXPECT_EQ(finding.shape, Shape::kTree);  // though its header and its nodes refer to each other
  EXPECT_EQ(finding.title, "std::map or set of 2 entries (std::_Rb_tree) and 1 block below it");
  ASSERT_EQ(finding.members.size(), 2u);
  EXPECT_EQ(finding.members[0].folded_blocks, 3u);
  EXPECT_EQ(finding.members[0].folded_bytes, 144u);
  EXPECT_EQ(finding.members[0].type_source, "container");
  ASSERT_EQ(finding.edges.size(), 1u);
  EXPECT_EQ(finding.edges[0].to, 1u);
  EXPECT_EQ(finding.closing_edge, -1);
  EXPECT_EQ(finding.advice, "");
  EXPECT_EQ(finding.retained, 184u);
}

TEST_F(Containers, ACycleThroughAMapIsOne) {
  // An object with a map, one entry of which refers back to the object.
  const uint64_t owner = block(64), node = block(48), child = block(32);
  set(owner, {5, 0, 0, address(node), address(node), address(node), 1});
  set(node, {1, address(owner, 2), 0, 0, 9, address(child)});
  set(child, {0, address(owner)});
  const Snapshot s = snapshot();
  const Findings findings = analyse(s, find_types(s));
  ASSERT_EQ(findings.lost.size(), 1u);
  const Finding& finding = findings.lost[0];
  EXPECT_EQ(finding.title, "cycle of 2: block of 64 bytes <-> block of 32 bytes");
  ASSERT_EQ(finding.members.size(), 3u);
  EXPECT_EQ(finding.members[2].part_of, 0);
  EXPECT_EQ(
      finding.members[2].role,
      "nodes of the std::map or set of 1 entry (std::_Rb_tree) at offset 8 of block of 64 bytes");
  ASSERT_GE(finding.closing_edge, 0);
  EXPECT_EQ(finding.edges[static_cast<size_t>(finding.closing_edge)].from, 1u);
  EXPECT_EQ(finding.edges[static_cast<size_t>(finding.closing_edge)].offset, 8u);
}

TEST_F(Containers, WhatLeadsBackMayStandInAVector) {
  // Objects each of which has a vector of pointers to all of them.
  constexpr uint64_t kObjects = 24;
  std::vector<uint64_t> objects, elements;
  for (uint64_t i = 0; i < kObjects; ++i) objects.push_back(block(40));
  for (uint64_t i = 0; i < kObjects; ++i) elements.push_back(block(kObjects * 32));
  for (uint64_t i = 0; i < kObjects; ++i) {
    const uint64_t begin = address(elements[i]), end = begin + kObjects * 32;
    set(objects[i], {1, begin, end, end});
    for (uint64_t j = 0; j < kObjects * 4; ++j)
      word(elements[i], j) = address(objects[(i + 1 + j) % kObjects]);
  }
  const Snapshot s = snapshot();
  const Findings findings = analyse(s, find_types(s));
  ASSERT_EQ(findings.lost.size(), 1u);
  const Finding& finding = findings.lost[0];
  EXPECT_EQ(finding.cycle_length, 1u);
  ASSERT_GE(finding.closing_edge, 0);
  const FindingEdge& closing = finding.edges[static_cast<size_t>(finding.closing_edge)];
  EXPECT_EQ(closing.from, 1u);  // the elements come right after the cycle
  EXPECT_EQ(closing.to, 0u);
  EXPECT_EQ(finding.members[1].part_of, 0);
  EXPECT_NE(finding.advice.find("of the elements of the std::vector of 768 bytes at offset 8 of "
                                "block of 40 bytes, which leads back to block of 40 bytes"),
            std::string::npos)
      << finding.advice;
}

TEST_F(Containers, WordsBehindAVectorsEndLeadNowhere) {
  const uint64_t owner = block(24), elements = block(64), used = block(16), other = block(48);
  const uint64_t begin = address(elements);
  set(owner, {begin, begin + 16, begin + 64});
  set(elements, {address(used), 7, 9, address(other)});
  Snapshot s = snapshot();
  EXPECT_EQ(find_structures(s).all.size(), 2u);
  const Findings findings = analyse(s, find_types(s));
  EXPECT_EQ(findings.blocks, 4u);  // whatever it is a part of, it is lost
  EXPECT_EQ(findings.bytes, 152u);
  ASSERT_EQ(findings.lost.size(), 2u);
  EXPECT_EQ(findings.lost[0].blocks, 3u);
  EXPECT_EQ(findings.lost[1].title, "block of 48 bytes");
  word(owner, 1) = begin + 32;  // in use now
  s = snapshot();
  EXPECT_EQ(find_structures(s).all.size(), 1u);
}

TEST_F(Containers, ADequesChunkIsNoVectorsWhoseWordsAreStale) {
  const uint64_t deque = block(80), map = block(64), one = block(64), two = block(64);
  const uint64_t value = block(16);
  set(map, {address(one), address(two)}, 3);
  set(deque, {address(map), 8, address(one), address(one), address(one) + 64, address(map, 3),
              address(two), address(two), address(two) + 64, address(map, 4)});
  word(one, 2) = address(value);
  EXPECT_EQ(find_structures(snapshot()).all.size(), 1u);
}

TEST_F(Containers, AFullMapOfLibcxxsDequeIsNoEmptyVector) {
  const uint64_t deque = block(48), map = block(32), one = block(64), two = block(64);
  const uint64_t begin = address(map), end = begin + 32;
  set(map, {address(one), address(two)});
  set(deque, {begin, begin, end, end, 0, 9});
  EXPECT_EQ(find_structures(snapshot()).all.size(), 1u);
  word(deque, 1) = begin + 8;  // the first chunk is in use no more
  EXPECT_EQ(find_structures(snapshot()).all.size(), 1u);
}

TEST_F(Containers, AnEmptiedVectorLeadsNowhere) {
  const uint64_t owner = block(40), other = block(48), elements = block(64);
  const uint64_t begin = address(elements);
  set(owner, {begin, begin, begin + 64});
  set(elements, {address(other), 0, address(other)});
  set(other, {address(owner)});
  const Snapshot s = snapshot();
  EXPECT_EQ(find_structures(s).cycles, 0u);
  EXPECT_EQ(analyse(s, find_types(s)).blocks, 3u);
}

TEST_F(Containers, WordsAroundADequesElementsLeadNowhere) {
  const uint64_t deque = block(80), map = block(64), other = block(48), chunk = block(64);
  const uint64_t begin = address(chunk), place = address(map, 3);
  set(map, {begin}, 3);
  set(deque, {address(map), 8, begin, begin, begin + 64, place, begin, begin, begin + 64, place});
  word(chunk, 2) = address(other);
  EXPECT_EQ(find_structures(snapshot()).all.size(), 2u);  // cleared
  word(deque, 6) = begin + 24;
  EXPECT_EQ(find_structures(snapshot()).all.size(), 1u);
  word(deque, 2) = begin + 24;  // and taken from the front
  EXPECT_EQ(find_structures(snapshot()).all.size(), 2u);
}

TEST_F(Containers, ADequesIteratorIsNoEmptiedVector) {
  const uint64_t owner = block(32), chunk = block(64), map = block(64), value = block(16);
  const uint64_t begin = address(chunk);
  set(owner, {begin, begin, begin + 64, address(map, 3)});
  set(map, {begin}, 3);
  set(chunk, {address(value)}, 2);
  EXPECT_EQ(find_structures(snapshot()).all.size(), 1u);
}

TEST_F(Containers, WordsBehindATextLeadNowhere) {
  const uint64_t owner = block(32), text = block(51), other = block(48);
  set(owner, {address(text), 17, 50});
  set(text, {0x6161616161616161, 0x6161616161616161, 0x61, address(other)});
  EXPECT_EQ(find_structures(snapshot()).all.size(), 2u);
  word(owner, 2) = 40;  // no string's words
  EXPECT_EQ(find_structures(snapshot()).all.size(), 1u);
}

TEST_F(Containers, WordsBehindATextOfLibcxxLeadNowhere) {
  const uint64_t owner = block(24), text = block(64), other = block(48);
  set(owner, {64 | 1, 17, address(text)});
  set(text, {0x6161616161616161, 0x6161616161616161, 0x61, address(other)});
  EXPECT_EQ(find_structures(snapshot()).all.size(), 2u);
  word(owner, 0) = 48 | 1;  // no string's words
  EXPECT_EQ(find_structures(snapshot()).all.size(), 1u);
}

TEST_F(Containers, WordsBehindAShortTextLeadNowhere) {
  const uint64_t owner = block(40), other = block(48);
  set(owner, {address(owner, 2), 1, 0x61, address(other), 7});
  Snapshot s = snapshot();
  EXPECT_EQ(find_structures(s).all.size(), 2u);
  const Findings findings = analyse(s, find_types(s));
  EXPECT_EQ(findings.blocks, 2u);
  ASSERT_EQ(findings.lost.size(), 2u);
  EXPECT_EQ(findings.lost[1].title,
            "block of 40 bytes that begins with a std::string of 1 character");
  for (uint64_t length : {8, 15}) {
    word(owner, 1) = length;  // part of the text
    EXPECT_EQ(find_structures(snapshot()).all.size(), 1u);
  }
  set(owner, {1, address(other)}, 1);  // an address where the text would be
  EXPECT_EQ(find_structures(snapshot()).all.size(), 1u);
}

TEST_F(Containers, WordsBehindAShortTextOfLibcxxLeadNowhere) {
  const uint64_t owner = block(24), other = block(48);
  constexpr uint64_t kAbc = 0x63626106;
  set(owner, {kAbc, 60, address(other)});
  EXPECT_EQ(find_structures(snapshot()).all.size(), 1u);  // it is another library's
  builder_.modules.push_back({0, 0x5000, 0x9000, HEAPRAKE_MODULE_LOADED, "", "/lib/libc++.so.1"});
  EXPECT_EQ(find_structures(snapshot()).all.size(), 2u);
  set(owner, {0x6262626262626210, 0x0062});  // eight characters
  EXPECT_EQ(find_structures(snapshot()).all.size(), 2u);
  for (uint64_t word : {uint64_t{0}, kAbc + 1, kAbc + 2, kAbc - 2, uint64_t{0x63620106}}) {
    set(owner, {word, 60});
    EXPECT_EQ(find_structures(snapshot()).all.size(), 1u) << word;
  }
}

TEST_F(Containers, OneThatFillsItsBlockIsTheBlock) {
  const uint64_t owner = block(24), elements = block(80);
  set(owner, {address(elements), address(elements, 5), address(elements, 10)});
  Snapshot s = snapshot();
  EXPECT_EQ(analyse(s, find_types(s)).lost.at(0).members.at(0).type, "std::vector of 40 bytes");
  builder_.blocks[owner].requested = 32;
  s = snapshot();
  const Findings findings = analyse(s, find_types(s));
  EXPECT_EQ(findings.lost.at(0).title,
            "block of 32 bytes that begins with a std::vector of 40 bytes");
  EXPECT_EQ(findings.lost.at(0).members.at(0).type, findings.lost.at(0).title);
}

TEST(ContainerKind, IsToldByTheLibrarysCalls) {
  EXPECT_EQ(library_call("std::map<int, std::set<int> >::operator[](int const&)").kind, "std::map");
  EXPECT_EQ(library_call("std::pair<std::__1::__tree_iterator<int, void*, long>, bool> "
                         "std::__1::multiset<int>::emplace<int>(int&&)")
                .kind,
            "std::multiset");
  EXPECT_EQ(library_call("my::set<int>::insert(int)").kind, "");
  EXPECT_FALSE(library_call("my::set<int>::insert(std::set<int>::iterator)").library);
  const char* const set_node =
      "std::pair<std::_Rb_tree_iterator<int>, bool> std::_Rb_tree<int, int, std::_Identity<int>, "
      "std::less<int>, std::allocator<int> >::_M_insert_unique<int>(int&&)";
  EXPECT_EQ(library_call(set_node).has_values, false);
  EXPECT_EQ(library_call("void std::__1::__tree<std::__1::__value_type<int, int>, "
                         "std::__1::less<int> >::destroy()")
                .has_values,
            true);
  EXPECT_EQ(
      kind_by_calls({"operator new(unsigned long)", set_node, "std::set<int>::insert(int&&)"}),
      "std::set");
  // The set's own call was inlined, and it is a map's value.
  EXPECT_EQ(kind_by_calls({set_node, "std::map<int, std::set<int> >::operator[](int&&)"}), "");
  EXPECT_EQ(kind_by_calls({set_node, "fill()", "std::set<int>::insert(int&&)"}), "");
}

TEST_F(Containers, AMapOfLibcxx) {
  const uint64_t map = block(24), root = block(48), left = block(48);
  set(map, {address(left), address(root), 2});
  set(root, {address(left), 0, address(map, 1), 1});
  set(left, {0, 0, address(root), 0});
  expect("std::map or set of 2 entries (std::__tree)",
         {{map, 0}, {map, 1}, {map, 2}, {root, 0}, {root, 2}, {left, 2}});
}

TEST_F(Containers, AnUnorderedMap) {
  const uint64_t map = block(56), buckets = block(13 * 8), one = block(24), two = block(24);
  set(map, {address(buckets), 13, address(one), 2, std::bit_cast<uint32_t>(1.0f), 13, 0});
  word(one, 0) = address(two);
  set(buckets, {address(map, 2)}, 4);
  expect("std::unordered_map or set of 2 entries",
         {{map, 0}, {map, 1}, {map, 2}, {map, 3}, {one, 0}});
  EXPECT_EQ(containers_in(snapshot(), 0)[0].parts.size(), 3u);
}

TEST_F(Containers, ADeque) {
  const uint64_t deque = block(80), map = block(64), one = block(512), two = block(512);
  set(map, {address(one), address(two)}, 3);
  set(deque, {address(map), 8, address(one, 1), address(one), address(one) + 512, address(map, 3),
              address(two, 2), address(two), address(two) + 512, address(map, 4)});
  expect("std::deque of 520 bytes",
         {{deque, 0}, {deque, 1}, {deque, 3}, {deque, 4}, {deque, 8}, {map, 3}, {map, 4}});
}

}  // namespace
}  // namespace heaprake::cli
