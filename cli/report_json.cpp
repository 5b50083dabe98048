#include "cli/json_writer.h"
#include "cli/report.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

// Of one finding's example; the counts of the finding cover what is not listed.
constexpr uint32_t kMostMembers = 1000;

void write_words(JsonWriter& json, const std::vector<std::string>& words) {
  json.begin_array();
  for (const std::string& word : words) json.string(word);
  json.end_array();
}

void write_member(JsonWriter& json, const Report& report, uint32_t block) {
  const heaprake_snapshot_block& record = report.snapshot.blocks[block];
  json.begin_object().member("type", "").member("size", record.requested);
  json.member("address", hexadecimal(record.address));
  json.member("refcount", report.analysis.references[block]);
  json.key("stack").begin_array().end_array().end_object();
}

void write_finding(JsonWriter& json, const Report& report, const Finding& finding, uint64_t id) {
  const Detail detail = describe(report.snapshot, report.analysis,
                                 report.analysis.structures[finding.example], kMostMembers);
  json.begin_object().member("id", id).member("shape", name_of(finding.shape));
  json.member("structures", finding.structures);
  json.member("blocks", finding.blocks).member("bytes", finding.bytes);
  json.key("members").begin_array();
  for (uint32_t block : detail.members) write_member(json, report, block);
  json.end_array().key("edges").begin_array();
  for (const Detail::Edge& edge : detail.edges) {
    json.begin_object().member("from", edge.from).member("to", edge.to);
    json.member("offset", edge.offset).end_object();
  }
  json.end_array().key("closing_edge");
  if (detail.closing_edge < 0)
    json.null();
  else
    json.number(static_cast<uint64_t>(detail.closing_edge));
  json.member("members_omitted", detail.omitted).end_object();
}

}  // namespace

std::string report_json(const Report& report) {
  const Analysis& analysis = report.analysis;
  JsonWriter json;
  json.begin_object().member("schema", "heaprake-report/1").key("program");
  write_words(json, report.program);
  json.member("pid", report.pid);
  json.key("complete").boolean(report.incomplete_because.empty()).key("incomplete_because");
  write_words(json, report.incomplete_because);
  json.key("summary").begin_object();
  json.member("leaked_blocks", analysis.blocks).member("leaked_bytes", analysis.bytes);
  json.member("structures", analysis.structures.size()).member("cycles", analysis.cycles);
  json.member("findings", analysis.findings.size()).member("uncertain_blocks", uint64_t{0});
  json.member("reachable_blocks", report.snapshot.header.reachable_blocks);
  json.member("reachable_bytes", report.snapshot.header.reachable_bytes);
  json.member("suppressed_blocks", uint64_t{0}).end_object();
  json.key("findings").begin_array();
  for (size_t i = 0; i < analysis.findings.size(); ++i)
    write_finding(json, report, analysis.findings[i], i + 1);
  json.end_array().end_object();
  return json.text();
}

}  // namespace heaprake::cli
