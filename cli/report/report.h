// What is told about one process: the snapshot, what the analysis found in it, and which of that
// is told. Every output is a function of a Report.
//
// Legal order: make_report; then suppress and compare, each at most once; then any outputs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/analysis/finding.h"
#include "cli/progress.h"
#include "cli/report/lsan_options.h"
#include "cli/snapshot/snapshot.h"
#include "cli/symbols/symbols.h"

namespace heaprake::cli {

class JsonWriter;

// A line of a suppression file, and what it has kept out of the report.
struct SuppressionUse {
  std::string rule;  // "leak:pattern"
  std::string file;  // where it stands, or "__lsan_default_suppressions"
  uint64_t findings = 0, blocks = 0, bytes = 0;
};

struct NextCommand {
  std::string why;  // "to ..."
  std::string command;
};

struct Report {
  std::vector<std::string> program;  // argv, empty if unknown
  uint64_t pid = 0;
  bool examined = true;  // false: there is no snapshot, and nothing is known
  // Sentences without a full stop; the report is complete if there are none.
  std::vector<std::string> incomplete_because;
  std::unique_ptr<const Snapshot> snapshot;  // null unless examined
  std::unique_ptr<Symbols> symbols;          // of the snapshot; null unless examined
  Findings findings;                         // without what is suppressed; the sums are exact
  std::vector<SuppressionUse> suppressions;  // every rule there is, used or not
  uint64_t suppressed_blocks = 0, suppressed_bytes = 0;
  LsanOptions lsan;  // the program's and the user's, where no option of ours says otherwise
  // Of each of findings.lost: told before. Empty: there is nothing to compare with.
  std::vector<bool> known;
  std::string known_since = "in the baseline";  // where it was told
  std::vector<std::string> notes;  // sentences without a full stop that a reader should know
  std::vector<NextCommand> next;   // what the text report ends with
};

// What an earlier check of the same run has found.
struct Check {
  uint64_t uptime_ms = 0;
  uint64_t blocks = 0, bytes = 0, structures = 0;
};

// What stands in the JSON beside the report itself.
struct Beside {
  std::vector<Check> checks;           // in the order of time
  std::vector<std::string> growths;    // from each to the next, as JSON
  std::vector<std::string> processes;  // reports of other processes, as JSON
};

// A report about a program of which nothing is known.
Report empty_report(std::vector<std::string> program, uint64_t pid, std::string why);

// From a snapshot's file to a report: names, types, findings. `program` is used where the snapshot
// does not say. `adjust`, if given, changes what the file says before it is looked at. Throws a
// Failure (kExitFailure) about the file.
Report read_report(const std::string& path, const std::vector<std::string>& program,
                   const Progress& progress = {},
                   const std::function<void(Snapshot*)>& adjust = {});

// Of each finding, what held it at an earlier check of the same process, whose snapshot has all
// blocks; nothing where that snapshot cannot be read.
void tell_last_held(Report* report, const std::string& earlier);

// The same from parts. `program` is used where the snapshot does not say.
Report make_report(std::unique_ptr<const Snapshot> snapshot, std::unique_ptr<Symbols> symbols,
                   Findings findings, const std::vector<std::string>& program);

// Structures with a cycle of references that objects have of one another or of themselves, and that
// was found.
uint64_t object_cycles(const Findings& findings);

// Structures lost, without those of findings that the baseline knows.
uint64_t new_structures(const Report& report);

// The frames of a stack, none if it is unknown.
const std::vector<Frame>& stack_of(const Report& report, uint32_t stack);

// What stays the same from run to run, and from build to build, of a finding: whether it is a
// cycle, types of its root or cycle, and the names on the allocation stack. 16 hex digits.
std::string fingerprint(const Report& report, const Finding& finding);

// The places on its allocation stack, as findings are told apart by them: what is the same within a
// run, and until a file of the program changes. 16 hex digits.
std::string place_of(const Report& report, const Finding& finding);

// A stack that was taken for the same as that of the finding's first member, but reads otherwise.
struct OtherWay {
  const Share* share;
  Frame differs;  // the innermost frame that does
};
// At most so many, most bytes first, each way to read it once; of some thousand stacks.
std::vector<OtherWay> other_ways(const Report& report, const Finding& finding, size_t most);

// The schema "heaprake-report/1"; of findings and of members of each, so many, worst first: what is
// left out is counted there. Totals are those of all. docs/report_json.md describes it.
struct Extent {
  size_t findings = SIZE_MAX, members = SIZE_MAX;
};
// What a browser draws without a pause, and a script reads into memory.
constexpr Extent kUsualExtent{2000, 200};
std::string report_json(const Report& report, const Beside& beside = {}, const Extent& extent = {});

// Members of the object that is open in `json`, which tell a store of many reports where one comes
// from: host, heaprake (versions of the library and of this command), modules (with build ids).
void write_origin(JsonWriter& json, const Report& report);

// Its title, or what can be said of one that has none.
std::string title_of(const Finding& finding);

// What its structures differ in: "not all alike: 27 have characters of name of Session"; "" if in
// nothing.
std::string variety(const Finding& finding);

const char* name_of(Certainty certainty);  // "certain", "interior", "dead frame"

}  // namespace heaprake::cli
