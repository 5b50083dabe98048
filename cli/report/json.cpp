#include <algorithm>
#include <set>

#include "cli/json_writer.h"
#include "cli/report/duration.h"
#include "cli/report/report.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

// A template's name may be a hundred thousand characters long, and stand in every line.
std::string name_told(std::string_view name) {
  return shortened_inside(name, kLongestName);
}

// Sentences with the names of a finding's types in them.
class Sentences {
 public:
  explicit Sentences(const Finding& finding) {
    for (const Member& member : finding.members)
      if (member.type.size() > kLongestName) long_names_.insert(member.type);
  }
  std::string told(std::string text) const {
    if (text.size() <= kLongestName) return text;
    // A name may be the beginning of a longer one: that comes first.
    for (auto name = long_names_.rbegin(); name != long_names_.rend(); ++name) {
      const std::string shorter = name_told(*name);
      for (size_t at = 0; (at = text.find(*name, at)) != std::string::npos; at += shorter.size())
        text.replace(at, name->size(), shorter);
    }
    return shortened_inside(text, 2 * kLongestName);
  }

 private:
  std::set<std::string_view> long_names_;
};

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts) json.string(text);
  json.end_array();
}

// What there is none of is negative.
void write_number_or_null(JsonWriter& json, std::string_view name, int64_t value) {
  json.key(name);
  if (value < 0)
    json.null();
  else
    json.number(static_cast<uint64_t>(value));
}

void write_stack(JsonWriter& json, const std::vector<Frame>& stack) {
  json.key("stack").begin_array();
  for (const Frame& frame : stack) {
    json.begin_object().member("function", name_told(frame.function)).member("file", frame.file);
    json.member("line", frame.line).member("module", frame.module).member("offset", frame.offset);
    if (frame.inlined) json.key("inlined").boolean(true);
    if (frame.module_closed) json.key("closed").boolean(true);
    json.end_object();
  }
  json.end_array();
}

void write_thread(JsonWriter& json, const Report& report, uint32_t number) {
  json.key("thread");
  if (number == 0 || number >= report.snapshot->threads.size()) {
    json.null();
    return;
  }
  const Thread& thread = report.snapshot->threads[number];
  json.begin_object().member("tid", thread.tid).member("name", thread.name);
  json.key("alive").boolean(thread.flags & HEAPRAKE_THREAD_ALIVE).end_object();
}

void write_member(JsonWriter& json, const Report& report, const Sentences& sentences,
                  const Member& member) {
  json.begin_object().member("type", name_told(member.type)).member("size", member.size);
  json.member("address", hexadecimal(member.address)).member("refcount", member.references);
  write_stack(json, stack_of(report, member.stack));
  json.member("references_inside", member.references_inside);
  if (member.count)
    write_number_or_null(json, "count", *member.count);
  else
    json.key("count").null();
  json.member("type_source", member.type_source).member("verdict", member.verdict);
  json.member("role", sentences.told(member.role));
  write_number_or_null(json, "part_of", member.part_of);
  json.member("folded_blocks", member.folded_blocks).member("folded_bytes", member.folded_bytes);
  write_thread(json, report, member.thread);
  json.member("time_ms", member.time_ms).end_object();
}

void write_other_ways(JsonWriter& json, const Report& report, const Finding& finding) {
  constexpr size_t kMostWays = 64;
  json.key("other_stacks").begin_array();
  for (const OtherWay& way : other_ways(report, finding, kMostWays)) {
    json.begin_object().member("blocks", way.share->blocks).member("bytes", way.share->bytes);
    write_stack(json, stack_of(report, way.share->stack));
    json.end_object();
  }
  json.end_array();
}

// The reference that closes the cycle keeps its place among those that are written.
struct EdgesWritten {
  int64_t closing = -1;
  uint64_t omitted = 0;
};
EdgesWritten write_edges(JsonWriter& json, const Finding& finding, size_t members) {
  EdgesWritten edges{-1, finding.edges_omitted};
  int64_t written = 0;
  json.key("edges").begin_array();
  for (size_t i = 0; i < finding.edges.size(); ++i) {
    const FindingEdge& edge = finding.edges[i];
    if (edge.from >= members || edge.to >= members) {
      ++edges.omitted;
      continue;
    }
    if (static_cast<int64_t>(i) == finding.closing_edge) edges.closing = written;
    ++written;
    json.begin_object().member("from", edge.from).member("to", edge.to);
    json.member("offset", edge.offset)
        .member("inner", edge.inner)
        .member("field", name_told(edge.field));
    json.key("weak").boolean(edge.weak).end_object();
  }
  json.end_array();
  return edges;
}

void write_varying(JsonWriter& json, const Sentences& sentences, const Finding& finding) {
  json.key("varying").begin_array();
  for (const VaryingPart& part : finding.varying)
    json.begin_object()
        .member("part", sentences.told(part.label))
        .member("structures", part.structures)
        .end_object();
  json.end_array();
}

void write_finding(JsonWriter& json, const Report& report, const Finding& finding,
                   const bool* known, size_t most) {
  const Sentences sentences(finding);
  const size_t members = std::min(finding.members.size(), most);
  uint64_t omitted = finding.members_omitted;
  for (size_t i = members; i < finding.members.size(); ++i)
    omitted += finding.members[i].folded_blocks;
  json.begin_object().member("id", finding.id).member("shape", name_of(finding.shape));
  json.member("structures", finding.structures);
  json.member("blocks", finding.blocks).member("bytes", finding.bytes);
  json.key("members").begin_array();
  for (size_t i = 0; i < members; ++i) write_member(json, report, sentences, finding.members[i]);
  json.end_array();
  const EdgesWritten edges = write_edges(json, finding, members);
  write_number_or_null(json, "closing_edge", edges.closing);
  json.member("cycle_length", finding.cycle_length);
  json.member("members_omitted", omitted).member("edges_omitted", edges.omitted);
  json.member("title", sentences.told(title_of(finding)));
  json.member("advice", sentences.told(finding.advice));
  json.member("certainty", name_of(finding.certainty)).member("retained", finding.retained);
  json.member("first_ms", finding.first_ms).member("last_ms", finding.last_ms);
  json.key("last_held");
  if (finding.last_held)
    json.begin_object()
        .member("uptime_ms", finding.last_held->uptime_ms)
        .member("path", sentences.told(finding.last_held->path))
        .key("another")
        .boolean(finding.last_held->another)
        .end_object();
  else
    json.null();
  write_other_ways(json, report, finding);
  json.member("cycles", finding.cycles);
  write_varying(json, sentences, finding);
  json.member("fingerprint", fingerprint(report, finding));
  json.member("place", place_of(report, finding));
  if (known) json.key("known").boolean(*known);
  json.end_object();
}

void write_summary(JsonWriter& json, const Report& report) {
  const Findings& findings = report.findings;
  const heaprake_snapshot_end totals =
      report.snapshot ? report.snapshot->totals : heaprake_snapshot_end{};
  json.key("summary").begin_object();
  json.member("leaked_blocks", findings.blocks).member("leaked_bytes", findings.bytes);
  json.member("structures", findings.structures).member("cycles", findings.cycles);
  json.member("object_cycles", object_cycles(findings));
  json.member("findings", findings.lost.size());
  json.member("uncertain_blocks", findings.uncertain_blocks);
  json.member("reachable_blocks", totals.reachable_blocks);
  json.member("reachable_bytes", totals.reachable_bytes);
  json.member("suppressed_blocks", report.suppressed_blocks);
  json.member("suppressed_bytes", report.suppressed_bytes);
  if (!report.known.empty()) json.member("new_structures", new_structures(report));
  json.end_object();
}

void write_suppressions(JsonWriter& json, const Report& report) {
  json.key("suppressions").begin_array();
  for (const SuppressionUse& use : report.suppressions) {
    json.begin_object().member("rule", use.rule).member("file", use.file);
    json.member("findings", use.findings);
    json.member("blocks", use.blocks).member("bytes", use.bytes).end_object();
  }
  json.end_array();
}

void write_checks(JsonWriter& json, const std::vector<Check>& checks) {
  json.key("checks").begin_array();
  for (const Check& check : checks) {
    json.begin_object().member("uptime_ms", check.uptime_ms);
    json.member("leaked_blocks", check.blocks).member("leaked_bytes", check.bytes);
    json.member("structures", check.structures).end_object();
  }
  json.end_array();
}

}  // namespace

void write_origin(JsonWriter& json, const Report& report) {
  json.member("host", report.snapshot ? report.snapshot->host : "");
  json.key("heaprake").begin_object();
  json.member("library", report.snapshot ? report.snapshot->version : "");
  json.member("command", HEAPRAKE_VERSION).end_object();
  json.key("modules").begin_array();
  for (size_t i = 0; report.snapshot && i < report.snapshot->modules.size(); ++i) {
    const Module& module = report.snapshot->modules[i];
    json.begin_object().member("path", module.path);
    json.member("build_id", hex_digits(module.build_id)).end_object();
  }
  json.end_array();
}

std::string report_json(const Report& report, const Beside& beside, const Extent& extent) {
  JsonWriter json;
  json.begin_object().member("schema", "heaprake-report/1");
  write_texts(json, "program", report.program);
  json.member("pid", report.pid);
  write_origin(json, report);
  json.key("complete").boolean(report.incomplete_because.empty());
  write_texts(json, "incomplete_because", report.incomplete_because);
  write_summary(json, report);
  const auto& lost = report.findings.lost;
  const auto& near = report.findings.near_leaks;
  const size_t findings = std::min(lost.size(), extent.findings);
  const size_t near_leaks = std::min(near.size(), extent.findings);
  json.member("findings_omitted", lost.size() - findings);
  json.member("near_leaks_omitted", near.size() - near_leaks);
  json.key("findings").begin_array();
  for (size_t i = 0; i < findings; ++i) {
    const bool known = !report.known.empty() && report.known[i];
    write_finding(json, report, lost[i], report.known.empty() ? nullptr : &known, extent.members);
  }
  json.end_array().key("near_leaks").begin_array();
  for (size_t i = 0; i < near_leaks; ++i)
    write_finding(json, report, near[i], nullptr, extent.members);
  json.end_array();
  write_suppressions(json, report);
  json.member("taken", report.snapshot ? utc_time(report.snapshot->header.taken_ns) : "");
  json.member("uptime_ms", report.snapshot ? report.snapshot->header.uptime_ms : 0);
  write_checks(json, beside.checks);
  json.key("growth").begin_array();
  for (const std::string& growth : beside.growths) json.raw(growth);
  json.end_array().key("processes").begin_array();
  for (const std::string& process : beside.processes) json.raw(process);
  json.end_array();
  // Last: the names have been looked up by now.
  std::vector<std::string> notes = report.notes;
  if (report.symbols)
    notes.insert(notes.end(), report.symbols->notes().begin(), report.symbols->notes().end());
  write_texts(json, "notes", notes);
  json.end_object();
  return json.text();
}

}  // namespace heaprake::cli
