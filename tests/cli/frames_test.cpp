#include "cli/report/frames.h"

#include <gtest/gtest.h>

#include "cli/report/duration.h"

namespace heaprake::cli::test {
namespace {

Frame named(const char* function, const char* file = "", const char* module = "") {
  Frame frame;
  frame.function = function;
  frame.file = file;
  frame.module = module;
  frame.offset = 0x1234;
  return frame;
}

TEST(Frames, AreNamedByWhatIsKnown) {
  EXPECT_EQ(frame_name(named("f(int)")), "f(int)");
  EXPECT_EQ(frame_name(named("", "", "/usr/lib/libfoo.so.1")), "libfoo.so.1+0x1234");
  EXPECT_EQ(frame_name(named("")), "0x1234");
  EXPECT_EQ(frame_place(named("f", "", "/usr/lib/libfoo.so.1")), "in libfoo.so.1+0x1234");
  EXPECT_EQ(frame_place(named("", "", "/usr/lib/libfoo.so.1")), "");
  Frame frame = named("f", "/src/demo.cpp", "/bin/demo");
  frame.line = 33;
  EXPECT_EQ(frame_place(frame), "demo.cpp:33");
  frame = named("f", "", "/usr/lib/libfoo.so.1");
  frame.module_closed = true;
  EXPECT_EQ(frame_place(frame), "in libfoo.so.1+0x1234 (closed)");
}

TEST(Frames, OfTheLibraryAreKnown) {
  EXPECT_TRUE(is_library_frame(named("std::vector<int>::push_back(int&&)")));
  EXPECT_TRUE(is_library_frame(named("void std::sort<int*>(int*, int*)")));
  EXPECT_TRUE(is_library_frame(named("__gnu_cxx::new_allocator<X>::allocate(unsigned long)")));
  EXPECT_TRUE(is_library_frame(
      named("std::shared_ptr<Parent> std::make_shared<Parent>()", "/usr/include/c++/12/x.h")));
  EXPECT_FALSE(is_library_frame(named("make(std::vector<int>)")));
  EXPECT_FALSE(is_library_frame(named("MyVector<std::string>::grow()")));
  EXPECT_FALSE(is_library_frame(named("")));
}

TEST(Frames, OfRustsLibraryAreKnown) {
  const char* file = "/rustc/90b35a6/library/alloc/src/vec/mod.rs";
  EXPECT_EQ(library_language(named("alloc::vec::Vec<T>::push", file)), "Rust");
  EXPECT_EQ(library_language(named("<alloc::vec::Vec<T> as core::clone::Clone>::clone")), "Rust");
  EXPECT_EQ(library_language(named("std::rt::lang_start::{{closure}}", file)), "Rust");
  EXPECT_EQ(library_language(named("<&dyn core::ops::Fn() as core::ops::FnOnce<()>>::call_once",
                                   "/rustc/90b35a6/library/core/src/ops/function.rs")),
            "Rust");
  EXPECT_EQ(library_language(named("demo::main", "/src/main.rs")), "");
  EXPECT_EQ(library_language(named("<demo::Circle as demo::Shape>::area")), "");
  EXPECT_EQ(library_language(named("alloc::Pool::get(unsigned long) const")), "");
  EXPECT_EQ(library_language(named("core::start()", "/src/core/start.cpp")), "");
  EXPECT_EQ(library_language(named("std::vector<int>::push_back(int&&)")), "C++");
}

TEST(Frames, AreFoldedAroundTheProgramsOwn) {
  const std::vector<Frame> stack = {named("std::a()"), named("std::b()"),
                                    named("mine()"),   named("std::c()"),
                                    named("main"),     named("__libc_start_call_main"),
                                    named("_start")};
  const std::vector<StackLine> lines = folded_stack(stack);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].frame, nullptr);
  EXPECT_EQ(lines[0].folded, 2u);
  EXPECT_EQ(lines[1].frame->function, "mine()");
  EXPECT_EQ(lines[2].folded, 1u);
  EXPECT_EQ(lines[3].frame->function, "main");
  EXPECT_EQ(own_frame(stack)->function, "mine()");
  EXPECT_EQ(own_frame({}), nullptr);
  // libc's allocations are made for somebody.
  const std::vector<Frame> copy = {named("__GI___strdup", "", "/lib/libc.so.6"), named("known()")};
  EXPECT_EQ(own_frame(copy)->function, "known()");
  EXPECT_EQ(own_frame(std::span(copy).first(1))->function, "__GI___strdup");
  // All of it may be the library's.
  const std::vector<Frame> all = {named("std::a()"), named("std::b()")};
  EXPECT_EQ(own_frame(all)->function, "std::a()");
}

TEST(Frames, StartsWithoutNamesAreLeftOut) {
  const char* libc = "/lib/x86_64-linux-gnu/libc.so.6";
  const std::vector<Frame> stack = {named("", "", "/bin/prog"), named("", "", libc),
                                    named("", "", libc), named("", "", "/bin/prog")};
  EXPECT_EQ(folded_stack(stack).size(), 1u);
}

TEST(Duration, IsSaidAsPeopleDo) {
  EXPECT_EQ(duration_words(0), "0 ms");
  EXPECT_EQ(duration_words(999), "999 ms");
  EXPECT_EQ(duration_words(2549), "2.5 s");
  EXPECT_EQ(duration_words(59999), "59.9 s");
  EXPECT_EQ(duration_words(185000), "3 min 5 s");
  EXPECT_EQ(duration_words(7800000), "2 h 10 min");
  EXPECT_EQ(duration_words(90000000), "1 d 1 h");
  EXPECT_EQ(utc_time(0), "");
}

}  // namespace
}  // namespace heaprake::cli::test
