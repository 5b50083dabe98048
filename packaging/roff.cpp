#include "packaging/roff.h"

namespace heaprake::packaging {

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '.' || c == '\'') && (i == 0 || text[i - 1] == '\n')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : escaped(text)) out += c == '"' ? "\\(dq" : std::string(1, c);
  return out + "\"";
}

// The next line, without its end; takes it off the text.
std::string_view take_line(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace

Page::Page(std::string_view name, std::string_view section, std::string_view summary) {
  source_ = ".TH " + quoted(name) + " " + std::string(section) + " \"\" \"heaprake " +
            HEAPRAKE_VERSION + "\"\n";
  heading("NAME").text(std::string(name) + " - " + std::string(summary));
}

Page& Page::heading(std::string_view title) {
  source_ += ".SH " + quoted(title) + "\n";
  return *this;
}

Page& Page::subheading(std::string_view title) {
  source_ += ".SS " + quoted(title) + "\n";
  return *this;
}

Page& Page::text(std::string_view paragraphs) {
  bool formed = false;
  while (!paragraphs.empty()) {
    const std::string_view line = take_line(paragraphs);
    const bool keeps_form = line.starts_with("  ");
    if (keeps_form != formed) source_ += keeps_form ? ".PP\n.nf\n" : ".fi\n";
    formed = keeps_form;
    source_ += line.empty() ? ".PP" : escaped(line);
    source_ += '\n';
  }
  if (formed) source_ += ".fi\n";
  return *this;
}

Page& Page::verbatim(std::string_view lines) {
  source_ += ".PP\n.nf\n" + escaped(lines) + "\n.fi\n";
  return *this;
}

Page& Page::item(std::string_view term, std::string_view meaning) {
  source_ += ".TP\n.B " + quoted(term) + "\n" + escaped(meaning) + "\n";
  return *this;
}

}  // namespace heaprake::packaging
