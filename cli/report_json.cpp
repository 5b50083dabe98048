#include "cli/json_writer.h"
#include "cli/report.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

void write_words(JsonWriter& json, const std::vector<std::string>& words) {
  json.begin_array();
  for (const std::string& word : words) json.string(word);
  json.end_array();
}

void write_member(JsonWriter& json, const Member& member) {
  json.begin_object().member("type", member.type).member("size", member.size);
  json.member("address", hexadecimal(member.address));
  json.member("refcount", member.references);
  json.key("stack").begin_array().end_array().end_object();
}

void write_finding(JsonWriter& json, const Finding& finding) {
  json.begin_object().member("id", finding.id).member("shape", name_of(finding.shape));
  json.member("structures", finding.structures);
  json.member("blocks", finding.blocks).member("bytes", finding.bytes);
  json.key("members").begin_array();
  for (const Member& member : finding.members) write_member(json, member);
  json.end_array().key("edges").begin_array();
  for (const FindingEdge& edge : finding.edges) {
    json.begin_object().member("from", edge.from).member("to", edge.to);
    json.member("offset", edge.offset).end_object();
  }
  json.end_array().key("closing_edge");
  if (finding.closing_edge < 0)
    json.null();
  else
    json.number(static_cast<uint64_t>(finding.closing_edge));
  json.member("members_omitted", finding.members_omitted).end_object();
}

}  // namespace

std::string report_json(const Report& report) {
  const Findings& all = report.findings;
  JsonWriter json;
  json.begin_object().member("schema", "heaprake-report/1").key("program");
  write_words(json, report.program);
  json.member("pid", report.pid);
  json.key("complete").boolean(report.incomplete_because.empty()).key("incomplete_because");
  write_words(json, report.incomplete_because);
  json.key("summary").begin_object();
  json.member("leaked_blocks", all.blocks).member("leaked_bytes", all.bytes);
  json.member("structures", all.structures).member("cycles", all.cycles);
  json.member("findings", all.lost.size()).member("uncertain_blocks", all.uncertain_blocks);
  json.member("reachable_blocks", report.snapshot.totals.reachable_blocks);
  json.member("reachable_bytes", report.snapshot.totals.reachable_bytes);
  json.member("suppressed_blocks", uint64_t{0}).end_object();
  json.key("findings").begin_array();
  for (const Finding& finding : all.lost) write_finding(json, finding);
  json.end_array().end_object();
  return json.text();
}

}  // namespace heaprake::cli
