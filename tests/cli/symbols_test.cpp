// Names for the return addresses of a library in every state that libraries are found in.
#include "cli/symbols/symbols.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <link.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "cli/symbols/demangle.h"
#include "loaded_sample.h"
#include "temporary_files.h"

namespace heaprake::cli::test {
namespace {

// The line of names_sample.cpp that has this text.
uint32_t line_with(const std::string& text) {
  std::ifstream file(SAMPLE_SOURCE);
  std::string line;
  for (uint32_t number = 1; std::getline(file, line); ++number)
    if (line.find(text) != std::string::npos) return number;
  return 0;
}

class Names : public ::testing::Test {
 protected:
  const std::vector<Frame>& stack_of(const std::string& library) {
    sample_.emplace(library);
    snapshot_ = sample_->snapshot();
    symbols_.emplace(snapshot_);
    return symbols_->stack(1);
  }
  std::optional<LoadedSample> sample_;
  Snapshot snapshot_;
  std::optional<Symbols> symbols_;
  Files files_;
};

void expect_full(const std::vector<Frame>& stack) {
  ASSERT_EQ(stack.size(), 5u);
  EXPECT_EQ(stack[0].function, "std::fixture_allocate(Capture*)");
  EXPECT_EQ(stack[1].function, "family::Parent::adopt(Capture*)");
  EXPECT_TRUE(stack[1].inlined);
  EXPECT_EQ(stack[1].line, line_with("// adopt line"));
  EXPECT_EQ(stack[2].function, "family::make(Capture*)");
  EXPECT_FALSE(stack[2].inlined);
  EXPECT_EQ(stack[2].line, line_with("// make line"));
  EXPECT_EQ(stack[3].function, "hidden(Capture*)");
  EXPECT_EQ(stack[4].function, "names_sample");
  EXPECT_EQ(stack[4].line, line_with("// outer line"));
  EXPECT_TRUE(stack[4].file.ends_with("names_sample.cpp")) << stack[4].file;
}

TEST_F(Names, OfDebugInformation) {
  expect_full(stack_of(SAMPLE_DEBUG));
  EXPECT_TRUE(symbols_->notes().empty());
}

TEST_F(Names, OfASeparateDebugFile) {
  expect_full(stack_of(SAMPLE_LINKED));
}

TEST_F(Names, OfALambdaSayWhereItStands) {
  sample_.emplace(SAMPLE_DEBUG, "names_sample_lambda");
  snapshot_ = sample_->snapshot();
  symbols_.emplace(snapshot_);
  const std::string name = symbols_->stack(1)[1].function;
  EXPECT_TRUE(name.starts_with("names_sample_lambda::")) << name;  // GCC: <lambda>, Clang: $_0
  EXPECT_NE(name.find("::operator()"), std::string::npos) << name;
}

TEST_F(Names, OfDynamicSymbolsAlone) {
  const std::vector<Frame>& stack = stack_of(SAMPLE_STRIPPED);
  ASSERT_EQ(stack.size(), 4u);
  EXPECT_EQ(stack[0].function, "std::fixture_allocate(Capture*)");
  EXPECT_EQ(stack[1].function, "family::make(Capture*)");
  // A static function has no name any more; the module has.
  EXPECT_EQ(stack[2].function, "");
  EXPECT_EQ(stack[2].module, SAMPLE_STRIPPED);
  EXPECT_GT(stack[2].offset, 0u);
  EXPECT_EQ(stack[3].function, "names_sample");
  EXPECT_EQ(stack[3].file, "");
}

TEST_F(Names, OfAnotherFileAreNotTold) {
  sample_.emplace(SAMPLE_DEBUG);
  snapshot_ = sample_->snapshot();
  snapshot_.modules[0].build_id = std::string(20, 'x');
  symbols_.emplace(snapshot_);
  const std::vector<Frame>& stack = symbols_->stack(1);
  ASSERT_EQ(stack.size(), 4u);
  for (const Frame& frame : stack) EXPECT_EQ(frame.function, "");
  symbols_->data(0, 1);
  ASSERT_EQ(symbols_->notes().size(), 1u);  // once, however often it is asked
  EXPECT_NE(symbols_->notes()[0].find("build ids differ"), std::string::npos);
}

TEST_F(Names, OfAModuleThatIsGone) {
  sample_.emplace(SAMPLE_DEBUG);
  snapshot_ = sample_->snapshot();
  snapshot_.modules[0].path = "/nowhere/libgone.so.1";
  snapshot_.modules[0].flags = 0;
  symbols_.emplace(snapshot_);
  const std::vector<Frame>& stack = symbols_->stack(1);
  ASSERT_EQ(stack.size(), 4u);
  EXPECT_EQ(stack[0].module, "/nowhere/libgone.so.1");
  EXPECT_TRUE(stack[0].module_closed);
  EXPECT_EQ(symbols_->notes().size(), 1u);
}

TEST_F(Names, OfRubbish) {
  sample_.emplace(SAMPLE_DEBUG);
  snapshot_ = sample_->snapshot();
  snapshot_.modules[0].path = files_.write("rubbish",
                                           "\x7f"
                                           "ELF but not really");
  symbols_.emplace(snapshot_);
  EXPECT_EQ(symbols_->stack(1).size(), 4u);
  EXPECT_EQ(symbols_->notes().size(), 1u);
}

TEST_F(Names, OfNoModule) {
  sample_.emplace(SAMPLE_DEBUG);
  snapshot_ = sample_->snapshot();
  for (Pc& pc : snapshot_.frames) pc = {-1, 0x7f0000001234};
  symbols_.emplace(snapshot_);
  const std::vector<Frame>& stack = symbols_->stack(1);
  ASSERT_EQ(stack.size(), 4u);
  EXPECT_EQ(stack[0].module, "");
  EXPECT_EQ(stack[0].offset, 0x7f0000001234u);
  EXPECT_TRUE(symbols_->stack(0).empty());
}

TEST_F(Names, AllocationFunctionsAreLeftOut) {
  sample_.emplace(SAMPLE_DEBUG);
  snapshot_ = sample_->snapshot();
  snapshot_.modules.push_back(snapshot_.modules[0]);
  snapshot_.modules.back().path = "/opt/lib/libheaprake.so.1";
  snapshot_.frames.insert(snapshot_.frames.begin(), {Pc{1, 0x1234}, Pc{1, 0x5678}});
  snapshot_.stack_first = {0, 0, snapshot_.frames.size()};
  symbols_.emplace(snapshot_);
  expect_full(symbols_->stack(1));
}

TEST_F(Names, OfData) {
  stack_of(SAMPLE_DEBUG);
  const uint64_t table = sample_->offset_of("names_sample_table");
  const std::optional<Symbol> symbol = symbols_->data(0, table + 24);
  ASSERT_TRUE(symbol);
  EXPECT_EQ(symbol->name, "names_sample_table");
  EXPECT_EQ(symbol->offset, 24u);
  const std::optional<Symbol> past = symbols_->data(0, table + 16 * sizeof(long));
  EXPECT_TRUE(!past || past->name != "names_sample_table");

  RootReference root{};
  root.kind = GC_REFERENCE_GLOBAL;
  root.address = snapshot_.modules[0].load + table + 8;
  EXPECT_TRUE(symbols_->describe(root).starts_with("names_sample_table in lib"))
      << symbols_->describe(root);
  EXPECT_TRUE(symbols_->describe(root).ends_with(" + 8"));
  root.kind = GC_REFERENCE_STACK;
  root.where = 1;
  EXPECT_EQ(symbols_->describe(root), "stack of thread 4712 (worker)");
  root.where = UINT32_MAX;
  EXPECT_EQ(symbols_->describe(root), "stack of a thread");
  root.kind = GC_REFERENCE_MAPPING;
  EXPECT_TRUE(symbols_->describe(root).starts_with("mapped memory at 0x"));
}

TEST(Demangle, OnlyMangledNames) {
  EXPECT_EQ(demangled("_ZN6family4makeEi"), "family::make(int)");
  EXPECT_EQ(demangled("i"), "i");
  EXPECT_EQ(demangled("_Zrubbish"), "_Zrubbish");
  EXPECT_EQ(demangled("_Rubbish"), "_Rubbish");
  EXPECT_EQ(demangled("_Dubbish"), "_Dubbish");
  EXPECT_EQ(demangled("__GI___strdup"), "__strdup");
  EXPECT_EQ(demangled(""), "");
  EXPECT_EQ(demangled("_"), "_");
}

TEST(Demangle, OtherLanguages) {
  EXPECT_EQ(demangled("_RNvNtNtCs1234_5alloc3fmt6format12format_inner"),
            "alloc::fmt::format::format_inner");
  EXPECT_EQ(demangled("_ZN5alloc5boxed12Box$LT$T$GT$3new17h0123456789abcdefE"),
            "alloc::boxed::Box<T>::new");
  EXPECT_EQ(demangled("_D4demo4makeFiZi"), "demo.make(int)");
}

}  // namespace
}  // namespace heaprake::cli::test
