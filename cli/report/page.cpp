#include "cli/report/page.h"

namespace heaprake::cli {

namespace {

const char* escape_of(Ink ink) {
  switch (ink) {
    case Ink::kPlain:
      return "";
    case Ink::kBold:
      return "\x1b[1m";
    case Ink::kRed:
      return "\x1b[31m";
    case Ink::kYellow:
      return "\x1b[33m";
    case Ink::kGreen:
      return "\x1b[32m";
    case Ink::kDim:
      return "\x1b[2m";
  }
  return "";
}

// A word that no line holds is cut into lines.
std::string broken(std::string_view text, size_t most) {
  std::string out;
  size_t length = 0;
  for (char c : text) {
    length = c == ' ' ? 0 : length + 1;
    if (length > most) {
      out += ' ';
      length = 1;
    }
    out += c;
  }
  return out;
}

}  // namespace

void Page::put(std::string_view text, Ink ink) {
  const bool coloured = colours_ && ink != Ink::kPlain && !text.empty();
  if (coloured) text_ += escape_of(ink);
  text_ += text;
  if (coloured) text_ += "\x1b[0m";
}

void Page::wrap(size_t indent, std::string_view lead, std::string_view text, size_t hanging,
                Ink ink) {
  text_.append(indent, ' ');
  text_ += lead;
  const size_t first = indent + lead.size();
  const size_t most = kReportWidth - std::max(first, hanging);
  put(wrapped(broken(text, most), hanging, first), ink);
  text_ += '\n';
}

void Page::line(size_t indent, std::string_view text, Ink ink, std::string_view tail,
                Ink tail_ink) {
  text_.append(indent, ' ');
  const std::string end = shortened(std::string(tail), kReportWidth / 2);
  const size_t space = end.empty() ? 0 : 2;
  put(shortened(std::string(text), kReportWidth - indent - end.size() - space), ink);
  text_.append(space, ' ');
  put(end, tail_ink);
  text_ += '\n';
}

}  // namespace heaprake::cli
