// pages NAME [HEADER]: writes one of the files to stdout.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "packaging/pages.h"

int main(int count, char** words) {
  using namespace heaprake::packaging;
  const std::string name = count > 1 ? words[1] : "";
  std::string text;
  if (name == "heaprake.1") text = command_page();
  if (name == "libheaprake.7") text = library_page();
  if (name == "options.md") text = options_page();
  if (name == "heaprake.bash") text = bash_completion();
  if (name == "_heaprake") text = zsh_completion();
  if (name == "gc.3" && count > 2) {
    std::ifstream header(words[2]);
    const std::string source{std::istreambuf_iterator<char>(header), {}};
    if (!source.empty()) text = api_page(source);
  }
  if (text.empty()) {
    std::fprintf(
        stderr,
        "usage: pages heaprake.1 | libheaprake.7 | options.md | heaprake.bash | _heaprake | gc.3 "
        "HEADER\n");
    return 2;
  }
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
