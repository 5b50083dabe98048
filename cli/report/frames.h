// Frames in words, and which of them a reader looks for.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/symbols/symbols.h"

namespace heaprake::cli {

std::string_view base_name(std::string_view path);

// A name without its anonymous namespaces, which are all called alike, and fit to be printed.
std::string short_name(std::string_view name);

// "make(int)", or "libfoo.so.1+0x1234" if the function has no name, or an address.
std::string frame_name(const Frame& frame);

// "demo.cpp:33", or "in libfoo.so.1+0x1234"; "" if nothing is known or the name says it already.
std::string frame_place(const Frame& frame);

// Both: "make(int) (demo.cpp:33)"
std::string frame_words(const Frame& frame);

// "C++" or "Rust" if it is part of that language's library: users look for their own code around
// it. Otherwise "".
std::string_view library_language(const Frame& frame);
bool is_library_frame(const Frame& frame);
// What calls main or a thread's function.
bool is_start_frame(const Frame& frame);

// The innermost frame that is the program's own; null for an empty stack.
const Frame* own_frame(std::span<const Frame> stack);

// A line of a stack as it is printed: a frame, a run of frames that would all be printed in the
// same way (recursion), or a run of library frames.
struct StackLine {
  const Frame* frame = nullptr;  // the innermost of the run; null: of a library
  size_t folded = 0;             // frames
  std::string_view language;     // of the library
};
// Innermost first, without what lies below main.
std::vector<StackLine> folded_stack(std::span<const Frame> stack);

}  // namespace heaprake::cli
