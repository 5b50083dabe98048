#include "cli/opened.h"

#include <filesystem>
#include <optional>

#include "cli/failure.h"
#include "cli/output_file.h"
#include "cli/process.h"
#include "cli/snapshot.h"
#include "cli/snapshot/reader.h"
#include "cli/temporary.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

Snapshot read_subject(const std::string& subject, const Progress& progress) {
  uint64_t number = 0;
  std::error_code error;
  if (!parse_number(subject, &number) || std::filesystem::exists(subject, error))
    return read_snapshot(subject, progress);
  const pid_t pid = parse_pid(subject);
  const TemporaryDirectory directory("heaprake-snapshot");
  const std::string copy = (directory.path() / "snapshot").string();
  OutputFile(copy, false).write_by([&](int fd) { take_snapshot(pid, fd, copy); });
  return read_snapshot(copy, progress);
}

}  // namespace

Opened open_snapshot(const std::string& subject, const Progress& progress) {
  Opened opened;
  opened.snapshot = std::make_unique<const Snapshot>(read_subject(subject, progress));
  opened.files = std::make_shared<ModuleFiles>(*opened.snapshot);
  opened.types = find_types(*opened.snapshot, progress, opened.files);
  opened.symbols = std::make_unique<Symbols>(*opened.snapshot, opened.files);
  opened.fields = std::make_unique<Fields>(*opened.snapshot, opened.files);
  return opened;
}

void need_all(const Opened& opened, const std::string& subject, const std::string& what) {
  if (opened.snapshot->header.flags & HEAPRAKE_SNAPSHOT_ALL) return;
  throw Failure(kExitFailure, "the snapshot " + shell_quoted(subject) +
                                  " holds what was lost only, and " + what +
                                  " needs all blocks: 'heaprake snapshot PID -o FILE' takes them");
}

}  // namespace heaprake::cli
