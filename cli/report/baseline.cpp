#include "cli/report/baseline.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "cli/failure.h"
#include "cli/text.h"
#include "cli/text_file.h"

namespace heaprake::cli {

namespace {

using nlohmann::json;

// Of a report, and of the processes that stand in it.
bool collect(const json& report, Baseline* baseline) {
  if (!report.is_object() || report.value("schema", json()) != "heaprake-report/1") return false;
  const json findings = report.value("findings", json());
  if (!findings.is_array()) return false;
  for (const json& finding : findings) {
    if (!finding.is_object()) return false;
    const json print = finding.value("fingerprint", json());
    if (!print.is_string()) return false;
    baseline->insert(print.get<std::string>());
  }
  for (const json& process : report.value("processes", json::array()))
    if (!collect(process, baseline)) return false;
  return true;
}

}  // namespace

Baseline read_baseline(const std::string& path) {
  const std::optional<std::string> text = read_text_file(path);
  if (!text) throw Failure(kExitUsage, "cannot read the baseline " + shell_quoted(path));
  const json report = json::parse(*text, nullptr, false);
  Baseline baseline;
  if (!collect(report, &baseline))
    throw Failure(kExitUsage, "the baseline " + shell_quoted(path) +
                                  " is not a report that `heaprake hunt --json` has written");
  return baseline;
}

void compare(Report* report, const Baseline& baseline) {
  report->known.clear();
  for (const Finding& finding : report->findings.lost)
    report->known.push_back(baseline.contains(fingerprint(*report, finding)));
}

}  // namespace heaprake::cli
