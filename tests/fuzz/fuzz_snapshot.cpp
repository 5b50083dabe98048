// A snapshot's file: one sentence about what is wrong with it, or a report. The modules that it
// names are not opened, since the file may name any.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "cli/analysis/analysis.h"
#include "cli/analysis/growth.h"
#include "cli/analysis/paths.h"
#include "cli/failure.h"
#include "cli/snapshot/reader.h"

namespace {

using namespace heaprake::cli;

void use(Snapshot snapshot) {
  for (Module& module : snapshot.modules) module.path.clear();
  const Types types = find_types(snapshot);
  const Findings findings = analyse(snapshot, types);
  uint64_t blocks = 0, bytes = 0;
  for (const Finding& finding : findings.lost) {
    blocks += finding.blocks;
    bytes += finding.bytes;
  }
  // What has been read is consistent, whatever it says.
  if (blocks != findings.blocks || bytes != snapshot.totals.unreachable_bytes) std::abort();
  Symbols symbols(snapshot);
  Fields fields(snapshot);
  const Names names = {snapshot, types, symbols, fields};
  const Paths paths(names);
  for (uint32_t block = 0; block < snapshot.blocks(); ++block)
    if (const auto path = paths.to(block))
      if (path_text(names, *path).empty()) std::abort();
  if (!growth_between(snapshot, types, snapshot, types).sites.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int fd = memfd_create("snapshot", MFD_CLOEXEC);
  if (fd < 0 || write(fd, data, size) != static_cast<ssize_t>(size)) std::abort();
  try {
    use(read_snapshot("/proc/self/fd/" + std::to_string(fd)));
  } catch (const Failure& failure) {
    if (failure.message.empty() || failure.message.find('\n') != std::string::npos) std::abort();
  }
  close(fd);
  return 0;
}
