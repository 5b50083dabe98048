// The other programs' formats: read back, as these programs would.
#include "cli/report/formats.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <zlib.h>

#include <nlohmann/json.hpp>

#include "cli/report/flame.h"
#include "cli/report/suppressions.h"
#include "cli/text.h"
#include "finding_fixture.h"

namespace heaprake::cli::test {
namespace {

using nlohmann::json;

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(Lsan, LooksLikeLeakSanitizer) {
  Report report = family_report();
  const std::string text = lsan_text(report);
  EXPECT_TRUE(contains(text, "\n==4711==ERROR: LeakSanitizer: detected memory leaks\n\n")) << text;
  EXPECT_TRUE(contains(text,
                       "Direct leak of 300 byte(s) in 6 object(s) allocated from:\n"
                       "    #0 0x"));
  EXPECT_TRUE(contains(text, " in family::make(Capture*) /"));
  EXPECT_TRUE(contains(text, "Direct leak of 7 byte(s) in 1 object(s) allocated from:\n"));
  EXPECT_TRUE(contains(text, "Indirect leak of 150 byte(s) in 3 object(s) allocated from:\n"));
  EXPECT_TRUE(text.ends_with("SUMMARY: LeakSanitizer: 457 byte(s) leaked in 10 allocation(s).\n"));
  EXPECT_LT(text.find("Direct leak of 7"), text.find("Indirect"));
  suppress(&report, parse_suppressions("leak:hidden", "f"));
  EXPECT_TRUE(contains(lsan_text(report),
                       "Suppressions used:\n  count      bytes template\n"
                       "      9        450 hidden\n"));
  EXPECT_EQ(lsan_text(clean_report()), "");
}

TEST(Folded, SumsToTheTotal) {
  const std::string text = folded_stacks(family_report());
  EXPECT_TRUE(contains(text,
                       "prog;names_sample;hidden(Capture*);family::make(Capture*);"
                       "family::Parent::adopt(Capture*);std::fixture_allocate(Capture*) 300\n"))
      << text;
  EXPECT_TRUE(contains(text, "prog;names_sample 157\n"));
}

TEST(Folded, IsALineAStackWhateverTheProgramIsCalled) {
  Report report = family_report();
  const std::string before = folded_stacks(report);
  report.program = {"./two\nlines;\x1b[1m"};
  const std::string text = folded_stacks(report);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'),
            std::count(before.begin(), before.end(), '\n'));
  EXPECT_EQ(std::count(text.begin(), text.end(), ';'),
            std::count(before.begin(), before.end(), ';'));
  EXPECT_FALSE(contains(text, "\x1b"));
}

TEST(Flame, KeepsSumsWhenItLeavesStacksOut) {
  FlameStacks flame;
  flame.names = {{"main", "", 0}};
  for (uint64_t i = 1; i <= 100; ++i) {
    FlameStack& stack = flame.stacks.emplace_back();
    stack.frames = {0};
    stack.bytes = i;
    stack.blocks = 1;
    stack.retained = 2 * i;
  }
  keep_largest(100, &flame);
  EXPECT_EQ(flame.stacks.size(), 100u);
  keep_largest(10, &flame);
  ASSERT_EQ(flame.stacks.size(), 11u);
  uint64_t bytes = 0, blocks = 0, retained = 0;
  for (const FlameStack& stack : flame.stacks) {
    bytes += stack.bytes;
    blocks += stack.blocks;
    retained += stack.retained;
  }
  EXPECT_EQ(bytes, 5050u);
  EXPECT_EQ(blocks, 100u);
  EXPECT_EQ(retained, 10100u);
  EXPECT_EQ(flame.stacks.back().bytes, 4095u);
  EXPECT_EQ(flame.names[flame.stacks.back().frames[0]].name, "(90 smaller stacks)");
}

TEST(Flame, IsOneStackWhereNamesAreTheSame) {
  Report report = family_report();
  const size_t before = flame_stacks(report).stacks.size();
  // The same stack once more, under another number.
  Snapshot more = *report.snapshot;
  const std::vector<Pc> frames(more.stack_of(1).begin(), more.stack_of(1).end());
  more.frames.insert(more.frames.end(), frames.begin(), frames.end());
  more.stack_first.push_back(more.frames.size());
  const auto again = static_cast<uint32_t>(more.stack_first.size() - 2);
  report.findings.lost[0].shares.push_back({again, true, 2, 20});
  auto kept = std::make_unique<const Snapshot>(std::move(more));
  report.symbols = std::make_unique<Symbols>(*kept);
  report.snapshot = std::move(kept);
  const FlameStacks flame = flame_stacks(report);
  EXPECT_EQ(flame.stacks.size(), before);
  uint64_t bytes = 0;
  for (const FlameStack& stack : flame.stacks) bytes += stack.bytes;
  EXPECT_EQ(bytes, 457u + 20u);
}

TEST(Speedscope, IsItsFormat) {
  const json file = json::parse(speedscope_json(family_report()));
  EXPECT_EQ(file["$schema"], "https://www.speedscope.app/file-format-schema.json");
  ASSERT_EQ(file["profiles"].size(), 3u);
  for (const json& profile : file["profiles"]) {
    EXPECT_EQ(profile["type"], "sampled");
    ASSERT_EQ(profile["samples"].size(), profile["weights"].size());
    uint64_t total = 0;
    for (const json& weight : profile["weights"]) total += weight.get<uint64_t>();
    EXPECT_EQ(profile["endValue"], total);
    for (const json& sample : profile["samples"])
      for (const json& frame : sample) EXPECT_LT(frame, file["shared"]["frames"].size());
  }
  EXPECT_EQ(file["exporter"], "heaprake@" HEAPRAKE_VERSION);
  EXPECT_EQ(file["host"], "web-3");
  EXPECT_EQ(file["modules"][0]["path"], SAMPLE_DEBUG);
  EXPECT_NE(file["modules"][0]["build_id"], "");
  EXPECT_EQ(file["profiles"][0]["endValue"], 457);
  EXPECT_EQ(file["profiles"][1]["endValue"], 10);
  EXPECT_EQ(file["profiles"][2]["endValue"], 457);
  // Outermost first.
  const size_t outermost = file["profiles"][0]["samples"][0][0];
  EXPECT_EQ(file["shared"]["frames"][outermost]["name"], "names_sample");
}

TEST(Dot, DrawsMembersAndTheClosingEdge) {
  Report report = family_report();
  report.findings.lost[0].members[1].type = "Child<\"x\">";
  const std::string text = dot_graph(report);
  EXPECT_TRUE(contains(text, "f1m1 -> f1m0 [label=\"parent_\", color=red")) << text;
  EXPECT_TRUE(contains(text, "f1m0 [label=\"Parent, 40 bytes\""));
  EXPECT_TRUE(contains(text, "Child<\\\"x\\\">"));
  EXPECT_TRUE(text.starts_with("digraph") && text.ends_with("}\n"));
  report.findings.lost[0].members_omitted = 7;
  report.findings.lost[0].edges_omitted = 1000;
  EXPECT_TRUE(contains(dot_graph(report), "and 7 blocks, 1,000 references more"));
  const std::string name(20'000, 'T');
  Finding& finding = report.findings.lost[0];
  finding.title = finding.members[1].type = finding.edges[0].field = name;
  EXPECT_FALSE(contains(dot_graph(report), name.substr(0, 1000)));
}

std::string inflated(const std::string& content) {
  z_stream stream{};
  inflateInit2(&stream, MAX_WBITS + 16);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

// A message's fields in order: number, and the value or the bytes.
struct Field {
  uint64_t number, value;
  std::string bytes;
};
std::vector<Field> fields_of(const std::string& message) {
  std::vector<Field> fields;
  size_t at = 0;
  const auto varint = [&] {
    uint64_t value = 0;
    for (int shift = 0; at < message.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(message[at++]);
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < message.size()) {
    const uint64_t tag = varint();
    Field field{tag >> 3, varint(), ""};
    if ((tag & 7) == 2) {
      field.bytes = message.substr(at, field.value);
      at += field.value;
    }
    fields.push_back(field);
  }
  EXPECT_EQ(at, message.size());
  return fields;
}

TEST(Pprof, DecodesToTheSameTotals) {
  const std::vector<Field> profile = fields_of(inflated(pprof_profile(family_report())));
  std::vector<std::string> strings;
  std::vector<uint64_t> totals(2);
  size_t locations = 0, functions = 0, lines = 0;
  for (const Field& field : profile) {
    if (field.number == 6) strings.push_back(field.bytes);
    if (field.number == 5) ++functions;
    if (field.number == 4) {
      ++locations;
      for (const Field& part : fields_of(field.bytes)) lines += part.number == 4 ? 1 : 0;
    }
    if (field.number == 2)
      for (const Field& part : fields_of(field.bytes))
        if (part.number == 2) {
          // Packed varints: read them as fields would be.
          size_t at = 0;
          for (uint64_t& total : totals) {
            uint64_t value = 0;
            for (int shift = 0;; shift += 7) {
              const auto byte = static_cast<unsigned char>(part.bytes[at++]);
              value |= uint64_t{byte & 0x7fu} << shift;
              if (byte < 0x80) break;
            }
            total += value;
          }
          EXPECT_EQ(at, part.bytes.size());
        }
  }
  EXPECT_EQ(totals[0], 10u);
  EXPECT_EQ(totals[1], 457u);
  EXPECT_EQ(locations, 4u);
  EXPECT_EQ(functions, 5u);
  EXPECT_EQ(lines, 5u);  // one of them inlined
  ASSERT_FALSE(strings.empty());
  EXPECT_EQ(strings[0], "");
  EXPECT_NE(std::find(strings.begin(), strings.end(), "family::make(Capture*)"), strings.end());
}

TEST(Pprof, SaysWhereItComesFrom) {
  const Report report = family_report();
  const std::vector<Field> profile = fields_of(inflated(pprof_profile(report)));
  std::vector<std::string> strings;
  for (const Field& field : profile)
    if (field.number == 6) strings.push_back(field.bytes);
  std::vector<std::string> comments, build_ids;
  for (const Field& field : profile) {
    if (field.number == 13) comments.push_back(strings.at(field.value));
    if (field.number == 3)
      for (const Field& part : fields_of(field.bytes))
        if (part.number == 6) build_ids.push_back(strings.at(part.value));
  }
  EXPECT_EQ(comments, (std::vector<std::string>{"heaprake " HEAPRAKE_VERSION, "host: web-3",
                                                "libheaprake 0.1.0-library", "program: ./prog",
                                                "pid: 4711"}));
  ASSERT_EQ(build_ids.size(), report.snapshot->modules.size());
  EXPECT_EQ(build_ids[0], hex_digits(report.snapshot->modules[0].build_id));
  EXPECT_NE(build_ids[0], "");
}

TEST(Html, IsOnePageThatNeedsNothingElse) {
  Report report = family_report();
  report.findings.lost[0].title = "</script><script>alert(1)</script><!--";
  const std::string page = html_page(report);
  EXPECT_TRUE(page.starts_with("<!DOCTYPE html>"));
  for (const char* outside : {"http:", "https:", "src=", "@import", "url(\"", "fetch(", "<link"})
    if (std::string_view(outside) == "http:")
      EXPECT_EQ(page.find("http:"), page.find("http://www.w3.org/2000/svg"));  // a namespace's name
    else
      EXPECT_FALSE(contains(page, outside)) << outside;
  EXPECT_FALSE(contains(page, "alert(1)</script>"));
  for (const char* mark : {"@STYLE@", "@DATA@", "@SCRIPT@"}) EXPECT_FALSE(contains(page, mark));
  const size_t begin = page.find("id=\"data\">") + 10;
  const json data = json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  EXPECT_EQ(data["report"]["summary"]["leaked_bytes"], 457);
  EXPECT_EQ(data["report"]["host"], "web-3");
  EXPECT_EQ(data["report"]["heaprake"]["command"], HEAPRAKE_VERSION);
  EXPECT_NE(data["report"]["modules"][0]["build_id"], "");
  EXPECT_EQ(data["report"]["findings"][0]["title"], "</script><script>alert(1)</script><!--");
  uint64_t bytes = 0, retained = 0;
  for (const json& stack : data["flame"]["stacks"]) {
    bytes += stack["bytes"].get<uint64_t>();
    retained += stack["retained"].get<uint64_t>();
  }
  EXPECT_EQ(bytes, 457u);
  EXPECT_EQ(retained, 457u);
  EXPECT_LT(html_page(clean_report()).size(), 500000u);
}

TEST(Html, HasLongTextsOnce) {
  Report report = family_report();
  const std::string name = "some\\\"<" + std::string(1000, 'x') + ">";
  const size_t before = html_page(report).size();
  report.findings.lost.resize(1);
  report.findings.lost[0].members.assign(50, report.findings.lost[0].members[0]);
  for (Member& member : report.findings.lost[0].members) member.type = name;
  const std::string page = html_page(report);
  EXPECT_LT(page.size(), before + 50'000);
  const size_t begin = page.find("id=\"data\">") + 10;
  const json data = json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  const json& type = data["report"]["findings"][0]["members"][7]["type"];
  ASSERT_TRUE(type.is_object());
  EXPECT_EQ(data["strings"][type["$"].get<size_t>()], name);
}

}  // namespace
}  // namespace heaprake::cli::test
