// Types of real objects from real files, in the states in which files are found.
#include "cli/types/types.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <link.h>

#include <cstring>

#include "cli/types/control_block.h"
#include "cli/types/coroutines.h"
#include "cli/types/elf_image.h"
#include "cli/types/fields.h"
#include "cli/types/vtables.h"
#include "snapshot_builder.h"

namespace heaprake::cli {
namespace {

class Sample {
 public:
  explicit Sample(const char* path) : handle_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    if (!handle_) return;
    link_map* map = nullptr;
    dlinfo(handle_, RTLD_DI_LINKMAP, &map);
    load_ = map->l_addr;
    path_ = path;
  }
  ~Sample() {
    if (handle_) dlclose(handle_);
  }
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;

  template <class Function>
  Function function(const char* name) const {
    return reinterpret_cast<Function>(dlsym(handle_, name));
  }
  void* object(const char* name) const { return function<void* (*)()>(name)(); }
  // As the victim would tell of it; what it spans is generous.
  Module module() const {
    return {load_, load_, load_ + (1 << 20), HEAPRAKE_MODULE_LOADED, ElfImage(path_).build_id(),
            path_};
  }
  bool loaded() const { return handle_ != nullptr; }

 private:
  void* handle_;
  uint64_t load_ = 0;
  std::string path_;
};

class TypesOf : public ::testing::TestWithParam<const char*> {
 protected:
  TypesOf() : sample_(GetParam()) { builder_.modules.push_back(sample_.module()); }
  void SetUp() override { ASSERT_TRUE(sample_.loaded()); }

  // A lost block with the object's content; returns its number.
  uint64_t copy(const void* object, uint64_t bytes) {
    const uint64_t block = builder_.block(bytes);
    builder_.blocks[block].words.resize(bytes / 8);
    std::memcpy(builder_.blocks[block].words.data(), object, bytes / 8 * 8);
    return block;
  }
  std::string type_of(const char* name, uint64_t bytes) {
    builder_.blocks.clear();
    copy(sample_.object(name), bytes);
    return find_types(builder_.snapshot()).name(0);
  }

  Sample sample_;
  test::SnapshotBuilder builder_;
};

TEST_P(TypesOf, AreTheNamesOfTheirClasses) {
  EXPECT_EQ(type_of("sample_base", 16), "sample::Base");
  EXPECT_EQ(type_of("sample_derived", 96), "sample::Derived");
  EXPECT_EQ(type_of("sample_hidden", 16), "sample::(anonymous namespace)::Hidden");
  EXPECT_EQ(type_of("sample_holder", 48), "sample::Holder<std::string>");
  EXPECT_EQ(type_of("sample_array", 56), "sample::Base[3]");
}

TEST_P(TypesOf, ABaseInTheMiddleIsNotTheObject) {
  EXPECT_EQ(type_of("sample_second_base", 16), "");
}

TEST_P(TypesOf, AWordBesideAVtableIsNone) {
  for (int64_t step : {-16, -8, 8, 16, 4}) {
    builder_.blocks.clear();
    uint64_t words[2];
    std::memcpy(words, sample_.object("sample_base"), sizeof words);
    words[0] += static_cast<uint64_t>(step);
    copy(words, sizeof words);
    EXPECT_EQ(find_types(builder_.snapshot()).name(0), "") << step;
  }
}

TEST_P(TypesOf, NoWordOfTheFileBringsAnythingDown) {
  // Every word that may be one, and addresses between and behind.
  const Snapshot snapshot = builder_.snapshot();
  Vtables vtables(snapshot);
  size_t classes = 0;
  for (uint64_t offset = 0; offset < 1 << 16; offset += 4)
    classes += vtables.class_at(builder_.modules[0].load + offset).empty() ? 0 : 1;
  EXPECT_GE(classes, 5u);
  EXPECT_LE(classes, 40u);
}

TEST_P(TypesOf, ControlBlocksTellOfWhatTheyOwn) {
  void* words[2];
  sample_.function<void (*)(void**)>("sample_make_shared")(words);
  copy(words[1], 32);
  Types types = find_types(builder_.snapshot());
  EXPECT_EQ(types.name(0), "sample::Plain");
  EXPECT_EQ(types.type(0).object_offset(), 16u);
  EXPECT_EQ(types.sources[0], TypeSource::kControlBlock);
  const std::vector<uint64_t>& content = builder_.blocks[0].words;
  EXPECT_EQ(owner_counts(*types.type(0).control, content[1], content[2]).owners, 1);
  EXPECT_EQ(owner_counts(*types.type(0).control, content[1], content[2]).weak, 0);

  builder_.blocks.clear();
  sample_.function<void (*)(void**)>("sample_shared_apart")(words);
  copy(words[1], 24);
  copy(words[0], 16);
  builder_.edge(0, 1, 16);
  types = find_types(builder_.snapshot());
  EXPECT_EQ(types.name(0), "std::_Sp_counted_ptr<sample::Plain*>");
  EXPECT_EQ(types.name(1), "sample::Plain");
  EXPECT_EQ(types.sources[1], TypeSource::kControlBlock);
}

TEST_P(TypesOf, WhatADeleterHasCapturedIsNotOwned) {
  void* words[3];
  sample_.function<void (*)(void**)>("sample_shared_with_deleter")(words);
  copy(words[1], 40);
  copy(words[0], 16);
  // Of unknown type, as most that are captured.
  builder_.block(64);
  builder_.edge(0, 2, 16).edge(0, 1, 32);
  ASSERT_EQ(builder_.blocks[0].words[2], reinterpret_cast<uint64_t>(words[2]));
  ASSERT_EQ(builder_.blocks[0].words[4], reinterpret_cast<uint64_t>(words[0]));
  const Types types = find_types(builder_.snapshot());
  EXPECT_EQ(types.name(1), "sample::Plain");
  EXPECT_EQ(types.name(2), "");
}

TEST_P(TypesOf, AnotherBuildOfTheFileSaysNothing) {
  if (builder_.modules[0].build_id.empty()) GTEST_SKIP() << "the linker gives no build ids";
  builder_.modules[0].build_id[0] ^= 1;
  EXPECT_EQ(type_of("sample_base", 16), "");
}

TEST_P(TypesOf, OthersFromTheSamePlaceAreTheSame) {
  copy(sample_.object("sample_base"), 16);
  builder_.block(16);
  builder_.block(32);
  builder_.stack({{0, 1}});
  for (auto& block : builder_.blocks) block.stack = 1;
  const Types types = find_types(builder_.snapshot());
  EXPECT_EQ(types.name(1), "sample::Base");
  EXPECT_EQ(types.sources[1], TypeSource::kStack);
  EXPECT_EQ(types.name(2), "");
}

INSTANTIATE_TEST_SUITE_P(Files, TypesOf,
                         ::testing::Values(TYPES_SAMPLE, TYPES_SAMPLE_STRIPPED,
                                           TYPES_SAMPLE_SYMBOLIC));

TEST(Fields, AreNamedByDebugInformation) {
  const Sample sample(TYPES_SAMPLE);
  ASSERT_TRUE(sample.loaded());
  test::SnapshotBuilder builder;
  builder.modules.push_back(sample.module());
  const Snapshot snapshot = builder.snapshot();
  Fields fields(snapshot);
  Type type;
  type.full_name = "sample::Derived";
  type.module = 0;
  EXPECT_EQ(fields.at(type, 12), "");  // padding or the number of the base
  EXPECT_EQ(fields.at(type, 8), "number");
  EXPECT_EQ(fields.at(type, 24), "number");
  EXPECT_EQ(fields.at(type, 32), "next_");
  EXPECT_EQ(fields.at(type, 56), "parts_[2]");
  EXPECT_EQ(fields.at(type, 64), "name_");
  EXPECT_EQ(fields.at(type, 1000), "");
  type.full_name = "sample::Nothing";
  EXPECT_EQ(fields.at(type, 8), "");
}

TEST(ControlBlocks, AreToldByName) {
  const auto object = [](const char* name) {
    const std::optional<ControlBlock> block = control_block(name);
    return block ? block->object : "-";
  };
  EXPECT_EQ(object("std::_Sp_counted_ptr_inplace<std::map<int, A>, std::allocator<void>, "
                   "(__gnu_cxx::_Lock_policy)2>"),
            "std::map<int, A>");
  EXPECT_EQ(object("std::_Sp_counted_ptr<A*, (__gnu_cxx::_Lock_policy)2>"), "A");
  EXPECT_EQ(object("std::_Sp_counted_deleter<A*, void (*)(A*), std::allocator<void>, "
                   "(__gnu_cxx::_Lock_policy)2>"),
            "A");
  EXPECT_EQ(object("std::__1::__shared_ptr_emplace<A, std::__1::allocator<A> >"), "A");
  EXPECT_EQ(object("std::__1::__shared_ptr_pointer<A*, std::__1::default_delete<A>, "
                   "std::__1::allocator<A> >"),
            "A");
  EXPECT_EQ(object("std::_Sp_counted_base<(__gnu_cxx::_Lock_policy)2>"), "-");
  EXPECT_EQ(object("A"), "-");
}

TEST(ControlBlocks, KeepAnAllocatorThatIsNotTheLibrarys) {
  const auto has_allocator = [](const char* name) { return control_block(name)->has_allocator; };
  EXPECT_FALSE(has_allocator("std::_Sp_counted_ptr_inplace<A<1, 2>, std::allocator<A<1, 2> >, 2>"));
  EXPECT_FALSE(has_allocator("std::__1::__shared_ptr_emplace<A, std::__1::allocator<A> >"));
  EXPECT_TRUE(has_allocator("std::_Sp_counted_ptr_inplace<A, Pool<std::allocator<A> >, 2>"));
  EXPECT_FALSE(has_allocator("std::_Sp_counted_deleter<A*, Free, std::allocator<void>, 2>"));
}

// Fields named from a wrong start would be others.
TEST(ControlBlocks, DoNotTellWhereAnObjectBehindSuchAnAllocatorBegins) {
  Type type;
  type.control = control_block("std::_Sp_counted_ptr_inplace<A, std::allocator<A>, 2>");
  EXPECT_EQ(type.object_offset(), 16u);
  type.control = control_block("std::_Sp_counted_ptr_inplace<A, Pool<std::allocator<A> >, 2>");
  EXPECT_EQ(type.object_offset(), UINT32_MAX);
}

TEST(ControlBlocks, SayWhereTheyPointToTheirObject) {
  const auto place = [](const char* name, uint64_t size) {
    return control_block(name)->pointer_offset(size);
  };
  EXPECT_EQ(place("std::_Sp_counted_ptr<A*, (__gnu_cxx::_Lock_policy)2>", 24), 16u);
  EXPECT_EQ(place("std::_Sp_counted_deleter<A*, Free, std::allocator<void>, 2>", 24), 16u);
  EXPECT_EQ(place("std::_Sp_counted_deleter<A*, Free, std::allocator<void>, 2>", 40), 32u);
  EXPECT_EQ(place("std::__1::__shared_ptr_pointer<A*, Free, std::__1::allocator<A> >", 48), 24u);
}

TEST(ControlBlocks, CountAsTheirLibraryDoes) {
  ControlBlock block;
  EXPECT_EQ(owner_counts(block, 0x0000000200000003, 0).owners, 3);
  EXPECT_EQ(owner_counts(block, 0x0000000200000003, 0).weak, 1);
  EXPECT_EQ(owner_counts(block, 0x0000000200000000, 0).weak, 2);
  block.libcxx = true;
  EXPECT_EQ(owner_counts(block, 1, 4).owners, 2);
  EXPECT_EQ(owner_counts(block, 1, 4).weak, 4);
  EXPECT_EQ(owner_counts(block, UINT64_MAX, 0).owners, 0);
  EXPECT_EQ(owner_counts(block, UINT64_MAX, 0).weak, 1);
}

TEST(ShortTypes, LeaveOutWhatNobodyWrites) {
  EXPECT_EQ(
      short_type("std::map<int, std::__cxx11::basic_string<char, std::char_traits<char>, "
                 "std::allocator<char> >, std::less<int>, std::allocator<std::pair<int const, "
                 "std::__cxx11::basic_string<char, std::char_traits<char>, "
                 "std::allocator<char> > > > >"),
      "std::map<int, std::string>");
  EXPECT_EQ(short_type("std::vector<A, MyAllocator<A> >"), "std::vector<A, MyAllocator<A>>");
  EXPECT_EQ(short_type("A"), "A");
}

TEST(ElfImages, WhatIsNoFileKnowsNothing) {
  for (const char* path : {"/nonexistent", "/dev/null", "/etc/passwd", "/tmp"}) {
    const ElfImage image(path);
    EXPECT_EQ(image.build_id(), "");
    EXPECT_FALSE(image.word(0));
    EXPECT_FALSE(image.is_constant(0));
  }
}

TEST(Coroutine, IsToldByItsFunctions) {
  using enum Coroutine::Kind;
  const auto kind = [](const char* resume, const char* destroy) {
    return coroutine_of(resume, destroy).kind;
  };
  EXPECT_EQ(kind("co(int) [clone .actor]", "co(int) [clone .destroy]"), kGccs);
  EXPECT_EQ(kind("", "co(int) [clone .destroy]"), kGccs);  // it has finished
  EXPECT_EQ(kind("co(int) [clone .resume]", "co(int) [clone .destroy]"), kClangs);
  EXPECT_EQ(kind("co(int) (.resume)", "co(int) (.destroy)"), kClangs);
  EXPECT_EQ(kind("co(int) [clone .actor]", "other(int) [clone .destroy]"), kNone);
  EXPECT_EQ(kind("open(int)", "close(int)"), kNone);
  const auto name = [](const std::string& function) {
    return coroutine_of(function + " [clone .actor]", function + " [clone .destroy]").name;
  };
  EXPECT_EQ(name("co(int)"), "coroutine frame of co(int)");
  EXPECT_EQ(name("co(co(int)::_Z2coi.Frame*)"), "coroutine frame of co(int)");
  EXPECT_EQ(name("(anonymous namespace)::S::co((anonymous namespace)::S::co()::_ZN1S2coEv.Frame*)"),
            "coroutine frame of (anonymous namespace)::S::co()");
}

}  // namespace
}  // namespace heaprake::cli
