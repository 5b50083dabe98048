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
    KnownFindings& known = own[print.get<std::string>()];
    ++known.most;
    ++known.places[finding.value("place", "")];
  }
  // Other processes have their own.
  for (const auto& [print, here] : own) {
    KnownFindings& known = (*baseline)[print];
    known.most = std::max(known.most, here.most);
    for (const auto& [place, count] : here.places)
      known.places[place] = std::max(known.places[place], count);
  }
  // What was left out would look new.
  *cut = *cut || report.value("findings_omitted", uint64_t{0}) > 0;
  for (const json& process : report.value("processes", json::array()))
    if (!collect(process, baseline, cut)) return false;
  return true;
}

// Whether there was one more, and from that place.
bool take(KnownFindings* known, const std::string& place) {
  const auto at = known->places.find(place);
  if (known->most == 0 || at == known->places.end() || at->second == 0) return false;
  --at->second;
  --known->most;
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
    const auto known = left.find(prints[i]);
    if (known != left.end())
      report->known[i] = take(&known->second, place_of(*report, findings[i]));
  }
  for (size_t i = 0; i < findings.size(); ++i) {
    const auto known = left.find(prints[i]);
    if (report->known[i] || known == left.end() || known->second.most == 0) continue;
    --known->second.most;
    report->known[i] = true;
  }
}

}  // namespace heaprake::cli
