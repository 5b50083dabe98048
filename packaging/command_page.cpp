#include "cli/subcommand.h"
#include "packaging/pages.h"
#include "packaging/roff.h"

namespace heaprake::packaging {

namespace {

std::string term_of(const cli::OptionSpec& spec) {
  std::string term = spec.letter ? std::string("-") + spec.letter + ", --" : "--";
  term += spec.name;
  if (spec.takes == cli::Takes::kOptional) term += "[=" + spec.placeholder + "]";
  if (spec.takes == cli::Takes::kValue) term += "=" + spec.placeholder;
  return term;
}

}  // namespace

std::string command_page() {
  Page page("heaprake", "1",
            "a garbage collector and leak hunter for C and C++ programs as they are");
  std::string synopsis;
  for (const cli::Subcommand* subcommand : cli::subcommands()) {
    synopsis +=
        "heaprake " + std::string(subcommand->name) + " " + std::string(subcommand->usage) + "\n";
  }
  page.heading("SYNOPSIS").verbatim(synopsis);
  page.heading("DESCRIPTION")
      .text(
          "Replaces malloc in a program that knows nothing of it, finds the memory that the "
          "program can "
          "no longer reach, and frees it (run) or reports it (hunt). The other subcommands talk "
          "with a "
          "process that runs under heaprake, or read what it has written.");
  for (const cli::Subcommand* subcommand : cli::subcommands()) {
    page.heading("heaprake " + std::string(subcommand->name));
    page.text(std::string(subcommand->help));
    for (const cli::OptionSpec& spec : subcommand->options())
      page.item(term_of(spec), spec.sentence);
  }
  page.heading("SEE ALSO").text("gc(3), libheaprake(7)");
  return page.source();
}

}  // namespace heaprake::packaging
