// Pages for man(1).
#pragma once

#include <string>
#include <string_view>

namespace heaprake::packaging {

// One page, built from top to bottom. Text is plain: backslashes, leading dots and hyphens are
// taken care of.
class Page {
 public:
  Page(std::string_view name, std::string_view section, std::string_view summary);
  Page& heading(std::string_view title);
  Page& subheading(std::string_view title);
  // Paragraphs are separated by empty lines; lines that begin with two blanks keep their form.
  Page& text(std::string_view paragraphs);
  Page& verbatim(std::string_view lines);
  // A term and what it means.
  Page& item(std::string_view term, std::string_view meaning);
  const std::string& source() const { return source_; }

 private:
  std::string source_;
};

}  // namespace heaprake::packaging
