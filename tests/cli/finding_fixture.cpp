#include "finding_fixture.h"

#include "loaded_sample.h"

namespace heaprake::cli::test {

namespace {

Member member(const char* type, uint64_t address, uint64_t size, uint32_t stack) {
  Member m;
  m.type = m.label = type;
  m.address = address;
  m.size = m.folded_bytes = size;
  m.stack = stack;
  m.thread = 1;
  m.time_ms = 1000;
  m.references = m.references_inside = 1;
  return m;
}

Finding family() {
  Finding finding;
  finding.id = 1;
  finding.shape = Shape::kCycle;
  finding.structures = finding.cycles = 3;
  finding.blocks = 9;
  finding.bytes = 450;
  finding.fewest_blocks = finding.most_blocks = 3;
  finding.fewest_root = finding.most_root = 2;
  finding.retained = 150;
  finding.title = "cycle of 2: Parent <-> Child";
  finding.advice = "Make Child::parent_ a std::weak_ptr.";
  finding.members = {member("Parent", 0x5a3c00001000, 40, 1),
                     member("Child", 0x5a3c00001040, 60, 1), member("", 0x5a3c00001080, 50, 2)};
  finding.members[0].type_source = "vtable";
  finding.members[0].count = 1;
  finding.members[0].verdict = "count 1, found 1, all from inside the cycle";
  finding.members[2].role = "characters of the string at offset 8 of Parent";
  finding.members[2].part_of = 0;
  finding.edges = {{0, 2, 8, 0, "name_"}, {0, 1, 16, 0, "child_"}, {1, 0, 24, 16, "parent_"}};
  finding.closing_edge = 2;
  finding.cycle_length = 2;
  finding.shares = {{1, true, 6, 300}, {2, false, 3, 150}};
  finding.first_ms = 1000;
  finding.last_ms = 3000;
  finding.last_held = LastHeld{5000, "global cache_ in libfoo.so -> Parent"};
  return finding;
}

Finding single(uint64_t id, Certainty certainty) {
  Finding finding;
  finding.id = id;
  finding.shape = Shape::kBlock;
  finding.certainty = certainty;
  finding.structures = finding.blocks = 1;
  finding.bytes = finding.retained = 7;
  finding.fewest_blocks = finding.most_blocks = finding.fewest_root = finding.most_root = 1;
  finding.title = "block of 7 bytes";
  finding.members = {member("", 0x5a3c00002000, 7, 2)};
  finding.members[0].references = finding.members[0].references_inside = 0;
  finding.shares = {{2, true, 1, 7}};
  return finding;
}

std::unique_ptr<Snapshot> snapshot() {
  // Stays loaded, so that every test sees the same addresses.
  static const LoadedSample sample(SAMPLE_DEBUG);
  auto made = std::make_unique<Snapshot>(sample.snapshot());
  made->frames.push_back(made->frames.back());
  made->stack_first.push_back(made->frames.size());
  made->frames.push_back({0, made->frames.back().offset + 2});  // the instruction after the call
  made->stack_first.push_back(made->frames.size());
  made->host = "web-3";
  made->version = "0.1.0-library";
  made->header.uptime_ms = 63000;
  made->header.taken_ns = 1700000000000000000;
  made->totals.reachable_blocks = 5;
  made->totals.reachable_bytes = 500;
  made->command = {"./prog", "a\"b", "\xff", "\n"};
  return made;
}

Report report_of(Findings findings) {
  std::unique_ptr<Snapshot> made = snapshot();
  auto symbols = std::make_unique<Symbols>(*made);
  return make_report(std::move(made), std::move(symbols), std::move(findings), {});
}

}  // namespace

Report family_report() {
  Findings findings;
  findings.lost = {family(), single(2, Certainty::kNothing)};
  findings.near_leaks = {single(1, Certainty::kInteriorOnly)};
  findings.blocks = 10;
  findings.bytes = 457;
  findings.structures = 4;
  findings.cycles = 3;
  findings.uncertain_blocks = 1;
  return report_of(std::move(findings));
}

Report clean_report() {
  return report_of({});
}

}  // namespace heaprake::cli::test
