#include "cli/report/frames.h"

#include <algorithm>
#include <array>

#include "cli/analysis/sites.h"
#include "cli/text.h"

namespace heaprake::cli {

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

std::string short_name(std::string_view name) {
  constexpr std::string_view kAnonymous = "(anonymous namespace)::";
  std::string text = printable(name);
  for (size_t at = 0; (at = text.find(kAnonymous, at)) != std::string::npos;)
    text.erase(at, kAnonymous.size());
  return text;
}

std::string frame_name(const Frame& frame) {
  if (!frame.function.empty()) return short_name(frame.function);
  if (frame.module.empty()) return hexadecimal(frame.offset);
  return printable(base_name(frame.module)) + "+" + hexadecimal(frame.offset);
}

std::string frame_place(const Frame& frame) {
  if (!frame.file.empty()) {
    const std::string file = printable(base_name(frame.file));
    return frame.line == 0 ? file : file + ":" + std::to_string(frame.line);
  }
  const std::string closed = frame.module_closed ? " (closed)" : "";
  if (frame.function.empty() || frame.module.empty()) return closed.empty() ? "" : "closed";
  return "in " + printable(base_name(frame.module)) + "+" + hexadecimal(frame.offset) + closed;
}

std::string frame_words(const Frame& frame) {
  const std::string place = frame_place(frame);
  return frame_name(frame) + (place.empty() ? "" : " (" + place + ")");
}

namespace {

// "alloc::vec::Vec<T>::push", "<alloc::vec::Vec<T> as core::ops::drop::Drop>::drop"
bool is_of_rusts_library(const Frame& frame) {
  static constexpr std::array<std::string_view, 5> kCrates = {
      "core::", "alloc::", "std::", "hashbrown::", "__rustc::"};
  std::string_view name = frame.function;
  // A namespace of a C++ program's may have such a name; there functions have arguments.
  if (!frame.file.empty() ? !frame.file.ends_with(".rs")
                          : name.ends_with(')') || name.find(") ") != std::string_view::npos)
    return false;
  while (!name.empty() && (name[0] == '<' || name[0] == '&')) name.remove_prefix(1);
  if (name.starts_with("dyn ")) name.remove_prefix(4);
  return std::any_of(kCrates.begin(), kCrates.end(),
                     [name](std::string_view crate) { return name.starts_with(crate); });
}

bool is_of_cxx_library(const Frame& frame) {
  const std::string whole = short_name(frame.function);
  std::string_view name = whole;
  // A function template's demangled name begins with its result: "void std::f<int>(...)".
  const size_t parenthesis = name.find('(');
  const size_t angle = name.find('<');
  const size_t space = name.substr(0, std::min(parenthesis, angle)).rfind(' ');
  if (space != std::string_view::npos) name.remove_prefix(space + 1);
  while (!name.empty() && (name[0] == '*' || name[0] == '&')) name.remove_prefix(1);
  return name.starts_with("std::") || name.starts_with("__gnu_cxx::") ||
         name.starts_with("__cxxabiv1::") ||
         // A result with template arguments of its own: the file tells.
         frame.file.find("/include/c++/") != std::string::npos;
}

}  // namespace

std::string_view library_language(const Frame& frame) {
  if (is_of_rusts_library(frame)) return "Rust";
  return is_of_cxx_library(frame) ? "C++" : "";
}

bool is_library_frame(const Frame& frame) {
  return !library_language(frame).empty();
}

bool is_start_frame(const Frame& frame) {
  static constexpr std::array kNames = {"_start",
                                        "__libc_start_main",
                                        "__libc_start_call_main",
                                        "__libc_start_main_impl",
                                        "__libc_start_main@@GLIBC_2.34",
                                        "start_thread",
                                        "clone3",
                                        "__clone3",
                                        "clone",
                                        "__clone"};
  return std::find(kNames.begin(), kNames.end(), frame.function) != kNames.end();
}

const Frame* own_frame(std::span<const Frame> stack) {
  for (const Frame& frame : stack)
    if (!is_library_frame(frame) && !is_system_module(frame.module)) return &frame;
  for (const Frame& frame : stack)
    if (!is_library_frame(frame)) return &frame;
  return stack.empty() ? nullptr : &stack[0];
}

std::vector<StackLine> folded_stack(std::span<const Frame> stack) {
  const auto is_libc_nameless = [](const Frame& frame) {
    return frame.function.empty() && base_name(frame.module).starts_with("libc.so");
  };
  const auto starts = [&](size_t i) {
    return is_start_frame(stack[i]) || is_libc_nameless(stack[i]);
  };
  size_t end = stack.size();
  // A stripped program's _start has no name, but libc's frames above it.
  if (end > 2 && stack[end - 1].function.empty() && starts(end - 2)) --end;
  while (end > 1 && starts(end - 1)) --end;
  std::vector<StackLine> lines;
  const auto goes_on = [&](const Frame& frame) {
    if (lines.empty() || !lines.back().frame || frame.function.empty()) return false;
    const Frame& last = *lines.back().frame;
    return frame.function == last.function && frame.file == last.file && frame.line == last.line &&
           frame.module == last.module;
  };
  for (const Frame& frame : stack.first(end)) {
    if (goes_on(frame))
      ++lines.back().folded;
    else if (!is_library_frame(frame))
      lines.push_back({&frame, 1, ""});
    else if (!lines.empty() && !lines.back().frame)
      ++lines.back().folded;
    else
      lines.push_back({nullptr, 1, library_language(frame)});
  }
  return lines;
}

}  // namespace heaprake::cli
