// gc(3) is gc.h, read aloud: a comment, and the declarations that follow it.
#include <regex>
#include <sstream>

#include "packaging/pages.h"
#include "packaging/roff.h"

namespace heaprake::packaging {

namespace {

// Without the stars, one paragraph's lines joined as they were.
std::string plain_comment(const std::string& comment) {
  std::istringstream lines(comment);
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    line = std::regex_replace(line, std::regex(R"(^\s*(/\*|\*/|\*)? ?)"), "");
    line = std::regex_replace(line, std::regex(R"(\s*\*/\s*$)"), "");
    text += line + "\n";
  }
  return text;
}

// The fields that gc.h includes from a table.
const char kCounters[] =
#define HEAPRAKE_STAT(type, name, text) "  " #type " " #name "; /* " text " */\n"
#include "heaprake/stats.def"
#undef HEAPRAKE_STAT
    ;

std::string plain_declaration(std::string declaration) {
  for (const char* macro : {R"(\s*HEAPRAKE_API\([^)]*\))", R"(\s*HEAPRAKE_ADDRESS\([^)]*\))",
                            R"(\s*HEAPRAKE_NOEXCEPT)"}) {
    declaration = std::regex_replace(declaration, std::regex(macro), "");
  }
  declaration = std::regex_replace(
      declaration, std::regex(R"(#define HEAPRAKE_STAT[\s\S]*#undef HEAPRAKE_STAT\n)"), kCounters);
  if (declaration.find('{') != std::string::npos) return declaration;
  return std::regex_replace(declaration, std::regex(R"(\n\s+)"), " ");
}

// What the preprocessor needs, not the program.
bool comes_before_macro(const std::string& rest) {
  return rest.starts_with("\n#") && !rest.starts_with("\n#define GC_");
}

}  // namespace

std::string api_page(const std::string& header) {
  Page page("gc", "3", "Python's gc module, for memory blocks");
  page.heading("SYNOPSIS")
      .verbatim(
          "#include <heaprake/gc.h>\nlink heaprake::heaprake, or `pkg-config --libs heaprake`");
  page.heading("DESCRIPTION");
  // Constants, a comment, or a declaration that names a gc_ function or type, up to its semicolon.
  const std::regex piece(
      R"((?:^#define GC_[A-Z].*\n)+|/\*[\s\S]*?\*/|^(?:typedef |const |void\*? |bool |size_t |unsigned |gc_)[^;{]*(?:\{[^}]*\}[^;]*)?;)",
      std::regex::multiline);
  const std::regex title(R"(^/\* --- (.*?) -+ \*/$)");
  const std::sregex_iterator first(header.begin(), header.end(), piece);
  for (std::sregex_iterator at = first, end; at != end; ++at) {
    const std::string text = at->str();
    std::smatch found;
    if (std::regex_match(text, found, title)) {
      page.heading(found[1].str());
    } else if (text.starts_with("/*") && comes_before_macro(at->suffix()) && at != first) {
      continue;
    } else if (text.starts_with("/*")) {
      if (at->position() == 0 || header[static_cast<size_t>(at->position()) - 1] == '\n')
        page.text("\n" + plain_comment(text));
    } else {
      page.verbatim(plain_declaration(text));
    }
  }
  page.heading("SEE ALSO").text("heaprake(1), libheaprake(7)");
  return page.source();
}

}  // namespace heaprake::packaging
