#include "cli/option_table.h"
#include "packaging/pages.h"

namespace heaprake::packaging {

namespace {

// In a cell of a table a bar would end the cell.
std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

}  // namespace

std::string options_page() {
  std::string page =
      "# Options of the library\n\n"
      "Written from `include/heaprake/options.def` by `pages options.md`; a test compares.\n\n"
      "`HEAPRAKE_OPTIONS` holds `name=value`, separated by colons; a value with colons stands in "
      "quotes. Sizes take k,\nm and g. What is not legal is named on stderr, and the default is "
      "used. `heaprake run` takes the\nsame as `--name=value`, and so does `heaprake hunt`, but "
      "for those "
      "that mean nothing to it or\nthat it sets itself (mode, snapshot, on_signal, threshold, "
      "inherited, growth:\n"
      "its `--on-signal` and `--growth` are its own).\n\n"
      "| option | takes | default | |\n|---|---|---|---|\n";
  for (const cli::LibraryOption& option : cli::library_options()) {
    page += "| `" + std::string(option.name) + "` | " + cell(option.legal) + " | `" +
            cell(option.default_value) + "` | " + cell(option.sentence) + " |\n";
  }
  return page;
}

}  // namespace heaprake::packaging
