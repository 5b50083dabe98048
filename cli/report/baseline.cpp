#include "cli/report/baseline.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/failure.h"
#include "cli/text.h"
#include "cli/text_file.h"

namespace heaprake::cli {

namespace {

using nlohmann::json;

// The frames of a finding's first member, as report_json writes them.
std::vector<Frame> frames_of(const json& finding) {
  std::vector<Frame> frames;
  const json members = finding.value("members", json::array());
  if (!members.is_array() || members.empty() || !members[0].is_object()) return frames;
  for (const json& written : members[0].value("stack", json::array())) {
    if (!written.is_object()) return {};
    Frame frame;
    frame.function = written.value("function", "");
    frame.file = written.value("file", "");
    frame.line = written.value("line", 0u);
    frame.module = written.value("module", "");
    frame.offset = written.value("offset", uint64_t{0});
    frames.push_back(std::move(frame));
  }
  return frames;
}

// Of a report, and of the processes that stand in it.
bool collect(const json& report, Baseline* baseline, bool* cut) {
  if (!report.is_object() || report.value("schema", json()) != "heaprake-report/1") return false;
  const json findings = report.value("findings", json());
  if (!findings.is_array()) return false;
  Baseline own;
  for (const json& finding : findings) {
    if (!finding.is_object()) return false;
    const json print = finding.value("fingerprint", json());
    if (!print.is_string()) return false;
    ++own[print.get<std::string>()][site_of(frames_of(finding))];
  }
  // Other processes have their own.
  for (const auto& [print, sites] : own)
    for (const auto& [site, count] : sites)
      (*baseline)[print][site] = std::max((*baseline)[print][site], count);
  // What was left out would look new.
  *cut = *cut || report.value("findings_omitted", uint64_t{0}) > 0;
  for (const json& process : report.value("processes", json::array()))
    if (!collect(process, baseline, cut)) return false;
  return true;
}

// Whether there was one more from that place.
bool take(std::map<std::string, uint64_t>* sites, const std::string& site) {
  const auto at = sites->find(site);
  if (at == sites->end()) return false;
  if (--at->second == 0) sites->erase(at);
  return true;
}

}  // namespace

Baseline read_baseline(const std::string& path) {
  const std::optional<std::string> text = read_text_file(path);
  if (!text) throw Failure(kExitUsage, "cannot read the baseline " + shell_quoted(path));
  const json report = json::parse(*text, nullptr, false);
  Baseline baseline;
  bool whole = false, cut = false;
  try {
    whole = collect(report, &baseline, &cut);
  } catch (const json::exception&) {
    // A value of another kind than it should be.
  }
  if (!whole)
    throw Failure(kExitUsage, "the baseline " + shell_quoted(path) +
                                  " is not a report that `heaprake hunt --json` has written");
  if (cut)
    throw Failure(kExitUsage, "the baseline " + shell_quoted(path) +
                                  " has not all findings: write it with --top=0 as well");
  return baseline;
}

void compare(Report* report, const Baseline& baseline) {
  const std::vector<Finding>& findings = report->findings.lost;
  Baseline left = baseline;
  std::vector<std::string> prints;
  report->known.assign(findings.size(), false);
  for (size_t i = 0; i < findings.size(); ++i) {
    prints.push_back(fingerprint(*report, findings[i]));
    const auto sites = left.find(prints[i]);
    if (sites != left.end())
      report->known[i] = take(&sites->second, site_of(stack_of(*report, findings[i].stack())));
  }
  for (size_t i = 0; i < findings.size(); ++i) {
    const auto sites = left.find(prints[i]);
    if (report->known[i] || sites == left.end() || sites->second.empty()) continue;
    report->known[i] = take(&sites->second, std::string(sites->second.begin()->first));
  }
}

}  // namespace heaprake::cli
