#include "cli/option_table.h"
#include "packaging/pages.h"
#include "packaging/roff.h"

namespace heaprake::packaging {

std::string library_page() {
  Page page("libheaprake", "7", "a malloc that collects garbage");
  page.heading("SYNOPSIS")
      .verbatim("LD_PRELOAD=libheaprake.so PROGRAM\nHEAPRAKE_OPTIONS=name=value:name=value");
  page.heading("DESCRIPTION")
      .text(
          "The library takes the place of the C library's malloc and C++'s operator new. It "
          "records every "
          "block, stops the program's threads now and then, finds the blocks that nothing refers "
          "to any "
          "more, and frees them. It starts no thread, keeps no descriptor and writes no file that "
          "was not "
          "asked for. heaprake(1) sets it up and talks with it; gc(3) is its interface for "
          "programs.");
  page.heading("OPTIONS").text(
      "HEAPRAKE_OPTIONS holds name=value, separated by colons; a value with colons stands in "
      "quotes. "
      "Sizes take k, m and g. What is not legal is named on stderr, and the default is used.");
  for (const cli::LibraryOption& option : cli::library_options()) {
    page.item(option.name, std::string(option.sentence) + ". Takes " + option.legal + "; default " +
                               option.default_value + ".");
  }
  page.heading("FIGURES").text("What `heaprake stats PID`, option stats and gc_get_stats() tell:");
#define HEAPRAKE_STAT(type, name, sentence) page.item(#name, sentence);
#include "heaprake/stats.def"
#undef HEAPRAKE_STAT
  page.heading("PROBES").text(
      "Static probes (USDT) of the provider heaprake, for bpftrace, perf, SystemTap and gdb. They "
      "cost an instruction that does nothing. A library that was built without systemtap's "
      "sys/sdt.h has none: `readelf -n libheaprake.so` lists them.");
  page.item("collection__start",
            "before threads are stopped. arg0: why, a text: asked for, threshold, command, exit, "
            "after finalizers.");
  page.item("collection__end",
            "when the garbage has been freed. arg0: why; arg1: bytes that survived; arg2: bytes "
            "freed.");
  page.item("collection__given__up",
            "in place of an end: nothing was freed. arg0: the reason, a text.");
  page.heading("SEE ALSO").text("heaprake(1), gc(3)");
  return page.source();
}

}  // namespace heaprake::packaging
