// Lines of at most kReportWidth columns, coloured or not: colours take no columns.
#pragma once

#include <string>
#include <string_view>

#include "cli/text.h"

namespace heaprake::cli {

enum class Ink { kPlain, kBold, kRed, kYellow, kGreen, kDim };

class Page {
 public:
  explicit Page(bool colours) : colours_(colours) {}

  // A sentence behind "heaprake: ", wrapped.
  void sentence(std::string_view text, Ink ink = Ink::kPlain) {
    wrap(0, "heaprake: ", text, 2, ink);
  }
  // Text behind `lead`, wrapped; lines after the first are indented by `hanging`.
  void wrap(size_t indent, std::string_view lead, std::string_view text, size_t hanging,
            Ink ink = Ink::kPlain);
  // One line: `text` is cut to what `tail` leaves over.
  void line(size_t indent, std::string_view text, Ink ink = Ink::kPlain, std::string_view tail = {},
            Ink tail_ink = Ink::kPlain);
  void blank() { text_ += '\n'; }
  // As it is: a command must not be cut.
  void verbatim(std::string_view text) { text_.append(text).append("\n"); }
  const std::string& text() const { return text_; }

 private:
  void put(std::string_view text, Ink ink);

  bool colours_;
  std::string text_;
};

}  // namespace heaprake::cli
