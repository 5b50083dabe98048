#include "cli/report/finding_text.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include "cli/analysis/merging.h"
#include "cli/report/duration.h"
#include "cli/report/frames.h"

namespace heaprake::cli {

namespace {

constexpr size_t kMostMembers = 8;
constexpr size_t kMostEdges = 12;
constexpr size_t kMostFrames = 14;
constexpr size_t kIndent = 5;   // of what belongs to a finding
constexpr size_t kMember = 10;  // of what belongs to a member

std::string between(uint64_t fewest, uint64_t most) {
  return fewest == most ? grouped(fewest) : grouped(fewest) + " to " + grouped(most);
}

std::string times(uint64_t structures) {
  return structures == 1 ? "once" : structures == 2 ? "twice" : grouped(structures) + " times";
}

// "lost 3 times: 9 blocks, 450 bytes; each is 3 blocks and retains 150 bytes"
std::string amounts(const Finding& finding) {
  std::string text = "lost " + times(finding.structures) + ": " + counted(finding.blocks, "block") +
                     ", " + counted(finding.bytes, "byte");
  if (finding.structures > 1 && finding.most_blocks > 1)
    text += "; each is " + between(finding.fewest_blocks, finding.most_blocks) + " blocks";
  if (finding.retained > 0 && finding.most_blocks > 1)
    text += "; releasing " + std::string(finding.structures > 1 ? "one" : "it") + " frees " +
            counted(finding.retained, "byte");
  return text;
}

std::string member_name(const Member& member) {
  return member.type.empty() ? "block of unknown type" : short_name(member.type);
}

// Names of types that fill more than a line are cut wherever they stand, and so is what is long
// otherwise: the JSON has more of it.
std::string cut(const Finding& finding, std::string text) {
  constexpr size_t kMostLines = 6;
  std::set<std::string_view> names;
  for (const Member& member : finding.members)
    if (member.type.size() > kReportWidth) names.insert(member.type);
  // A name may be the beginning of a longer one: that comes first.
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    const std::string shorter = shortened(short_name(*name), kReportWidth * 2 / 3);
    for (size_t at = 0; (at = text.find(*name, at)) != std::string::npos; at += shorter.size())
      text.replace(at, name->size(), shorter);
  }
  return shortened(short_name(text), kMostLines * kReportWidth);
}

// "#1 Child", "#2 characters"; a long name is cut to so many columns.
std::string numbered(const Finding& finding, uint32_t position, size_t columns = kReportWidth) {
  const Member& member = finding.members[position];
  std::string name = member.type;
  if (name.empty()) name = member.role.substr(0, member.role.find(' '));
  return "#" + std::to_string(position) + " " +
         (name.empty() ? "block" : shortened(short_name(name), columns));
}

std::string counts(const Finding& finding, const Member& member) {
  if (!member.verdict.empty()) return member.verdict;
  // What a text or a map has of itself, or of its object, is no answer to who holds it.
  if (finding.cycle_length == 0 && member.references > 0 &&
      member.references == member.references_inside && lost_members(finding)[0] == &member)
    return "nothing but itself and its parts refers to it";
  std::string text = member.references == 0 ? "nothing refers to it"
                                            : counted(member.references, "reference") + " found";
  if (member.references > 0 && member.references == member.references_inside)
    text += ", all from inside";
  else if (member.references_inside > 0)
    text += ", " + grouped(member.references_inside) + " from inside";
  if (member.count) text += "; its count says " + std::to_string(*member.count);
  return text;
}

void tell_member(Page& page, const Finding& finding, size_t position) {
  const Member& member = finding.members[position];
  std::string size = counted(member.size, "byte") + " at " + hexadecimal(member.address);
  if (member.folded_blocks > 1)
    size = counted(member.folded_blocks, "block") + ", " + counted(member.folded_bytes, "byte");
  const std::string lead = "#" + std::to_string(position) + "  ";
  std::string name = member_name(member);
  if (member.type_source == "stack") name += " (as others that were allocated there)";
  if (member.type.empty() && !member.role.empty()) name = cut(finding, member.role);
  page.line(kIndent, lead + name, Ink::kPlain, size, Ink::kDim);
  if (!member.role.empty() && !member.type.empty())
    page.wrap(kMember, "", cut(finding, member.role), kMember, Ink::kDim);
  // A part's references and counts are the business of what it is a part of.
  if (member.part_of < 0)
    page.wrap(kMember, "", cut(finding, counts(finding, member)), kMember, Ink::kDim);
}

void tell_members(Page& page, const Finding& finding) {
  size_t told = 0;
  for (; told < finding.members.size() && told < kMostMembers; ++told)
    tell_member(page, finding, told);
  const uint64_t omitted = finding.members.size() - told + finding.members_omitted;
  if (omitted > 0) page.line(kIndent, "and " + counted(omitted, "block") + " more", Ink::kDim);
}

// A field of two words, as a shared_ptr is, refers to one thing twice: that is one line.
struct Line {
  const FindingEdge* edge;
  std::string offsets;
  size_t words = 1;
  bool closing = false;
};

std::vector<Line> lines_of(const Finding& finding) {
  std::vector<Line> lines;
  std::map<std::tuple<uint32_t, uint32_t, std::string_view>, size_t> of_field;  // in lines
  for (size_t i = 0; i < finding.edges.size(); ++i) {
    const FindingEdge& edge = finding.edges[i];
    const bool closing = static_cast<int64_t>(i) == finding.closing_edge;
    const bool fresh = edge.field.empty() ||
                       of_field.try_emplace({edge.from, edge.to, edge.field}, lines.size()).second;
    if (fresh) {
      lines.push_back({&edge, grouped(edge.offset), 1, closing});
      continue;
    }
    Line& same = lines[of_field.at({edge.from, edge.to, edge.field})];
    constexpr size_t kMostOffsets = 4;
    if (same.words < kMostOffsets)
      same.offsets += ", " + grouped(edge.offset);
    else if (same.words == kMostOffsets)
      same.offsets += " ...";
    same.closing = same.closing || closing;
    ++same.words;
  }
  return lines;
}

// "#0 Parent.child_ (offset 16) -> #1 Child"
std::string line_words(const Finding& finding, const Line& line, size_t columns) {
  std::string text = numbered(finding, line.edge->from, columns);
  const std::string offsets = (line.words > 1 ? "offsets " : "offset ") + line.offsets;
  if (line.edge->field.empty())
    text += " at " + offsets;
  else
    text += "." + shortened(short_name(line.edge->field), columns) + " (" + offsets + ")";
  text += " -> " + numbered(finding, line.edge->to, columns);
  if (line.words == 1 && line.edge->inner > 0) text += " + " + grouped(line.edge->inner);
  return text + (line.edge->weak ? " (weak_ptr)" : "");
}

void tell_edges(Page& page, const Finding& finding) {
  const std::vector<Line> lines = lines_of(finding);
  uint64_t told = 0, omitted = finding.edges_omitted;
  for (const Line& line : lines) {
    const bool shown = line.edge->from < kMostMembers && line.edge->to < kMostMembers;
    if (!line.closing && (!shown || told >= kMostEdges)) {
      ++omitted;
      continue;
    }
    ++told;
    const std::string tail = line.closing ? "<- closes the cycle" : "";
    // The offset and the target matter more than the end of a long name.
    std::string words;
    for (size_t columns : {kReportWidth, kReportWidth / 3, kReportWidth / 4, kReportWidth / 8}) {
      words = line_words(finding, line, columns);
      if (kIndent + words.size() + tail.size() + 2 <= kReportWidth) break;
    }
    page.line(kIndent, words, line.closing ? Ink::kRed : Ink::kPlain, tail, Ink::kRed);
  }
  // Those of blocks that the finding leaves out have not been counted.
  const std::string least = finding.members_omitted > 0 ? "at least " : "";
  if (omitted > 0)
    page.line(kIndent, "and " + least + counted(omitted, "reference") + " more", Ink::kDim);
}

void tell_line(Page& page, const StackLine& line, bool own) {
  if (!line.frame)
    return page.line(
        kIndent + 3,
        "(" + counted(line.folded, "frame") + " of the " + std::string(line.language) + " library)",
        Ink::kDim);
  std::string place = frame_place(*line.frame);
  if (line.folded > 1) place += (place.empty() ? "" : ", ") + grouped(line.folded) + " times";
  page.line(kIndent + 3, frame_name(*line.frame), own ? Ink::kBold : Ink::kPlain, place,
            own ? Ink::kBold : Ink::kDim);
}

void tell_stack(Page& page, const Report& report, const Finding& finding, uint32_t position) {
  const std::vector<Frame>& stack = stack_of(report, finding.members[position].stack);
  if (stack.empty()) return;
  std::vector<StackLine> lines = folded_stack(stack);
  const std::string what = numbered(finding, position, kReportWidth * 2 / 3);
  page.line(kIndent, what + " was allocated in");
  const Frame* const own = own_frame(stack);
  const auto tell = [&](size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) tell_line(page, lines[i], lines[i].frame == own);
  };
  const auto pass = [&](size_t from, size_t to) {
    size_t frames = 0;
    for (size_t i = from; i < to; ++i) frames += lines[i].folded;
    if (frames > 0) page.line(kIndent + 3, "and " + counted(frames, "frame") + " more", Ink::kDim);
  };
  const size_t all = lines.size(), most = std::min(all, kMostFrames);
  const auto at =
      static_cast<size_t>(std::find_if(lines.begin(), lines.end(),
                                       [&](const StackLine& line) { return line.frame == own; }) -
                          lines.begin());
  // The program's own frame is what is looked for, however deep in others' it lies.
  constexpr size_t kAround = 4;
  if (at < most || at == all) {
    tell(0, most);
    return pass(most, all);
  }
  const size_t end = std::min(all, at + kAround);
  tell(0, most - kAround);
  pass(most - kAround, at);
  tell(at, end);
  pass(end, all);
}

// Structures of the finding come from there, too.
void tell_other_ways(Page& page, const Report& report, const Finding& finding) {
  constexpr size_t kMostWays = 6;
  const std::vector<OtherWay> ways = other_ways(report, finding, kMostWays + 1);
  std::string text;
  for (size_t i = 0; i < ways.size() && i < kMostWays; ++i)
    text += (i == 0 ? "" : ", ") + frame_words(ways[i].differs);
  if (ways.size() > kMostWays) text += " and others";
  if (!text.empty()) page.wrap(kIndent, "", "others by way of " + text, kIndent + 3);
}

// Each stack once, those of the first members; a part was allocated by what it is a part of.
void tell_stacks(Page& page, const Report& report, const Finding& finding) {
  constexpr size_t kMostStacks = 3;
  std::vector<uint32_t> told;
  for (uint32_t i = 0; i < finding.members.size() && i < kMostMembers; ++i) {
    const Member& member = finding.members[i];
    if (member.stack == 0 || member.part_of >= 0) continue;
    if (std::find(told.begin(), told.end(), member.stack) != told.end()) continue;
    if (told.size() == kMostStacks) break;
    told.push_back(member.stack);
    tell_stack(page, report, finding, i);
  }
}

std::string thread_words(const Report& report, uint32_t number) {
  const std::vector<Thread>& threads = report.snapshot->threads;
  if (number == 0 || number >= threads.size()) return "";
  const Thread& thread = threads[number];
  if (thread.flags & HEAPRAKE_THREAD_MAIN) return "by the main thread";
  std::string text = "by thread " + std::to_string(thread.tid);
  if (!thread.name.empty()) text += " (" + short_name(thread.name) + ")";
  return text + (thread.flags & HEAPRAKE_THREAD_ALIVE ? "" : ", which has ended");
}

std::string when(const Report& report, const Finding& finding) {
  const uint64_t now = report.snapshot->header.uptime_ms;
  const auto age = [&](uint64_t at) { return duration_words(now > at ? now - at : 0) + " ago"; };
  std::string text;
  if (finding.first_ms != 0 || finding.last_ms != 0) {
    text = finding.structures == 1
               ? "allocated " + age(finding.last_ms)
               : "first allocated " + age(finding.first_ms) + ", last " + age(finding.last_ms);
    text += ", " + duration_words(finding.first_ms) + " after the start,";
  }
  const std::string thread =
      finding.members.empty() ? "" : thread_words(report, finding.members[0].thread);
  if (!thread.empty()) text += (text.empty() ? "allocated " : " ") + thread;
  return text;
}

}  // namespace

void tell_finding(Page& page, const Finding& finding, const Report& report) {
  const std::string number = std::to_string(finding.id) + "  ";
  page.wrap(2, number, cut(finding, title_of(finding)), kIndent, Ink::kBold);
  page.wrap(kIndent, "", amounts(finding), kIndent, Ink::kRed);
  const std::string differ = variety(finding);
  if (!differ.empty()) page.wrap(kIndent, "", cut(finding, differ), kIndent);
  if (!finding.advice.empty())
    page.wrap(kIndent, "", cut(finding, finding.advice), kIndent, Ink::kGreen);
  tell_members(page, finding);
  tell_edges(page, finding);
  tell_stacks(page, report, finding);
  tell_other_ways(page, report, finding);
  const std::string age = when(report, finding);
  if (!age.empty()) page.wrap(kIndent, "", age, kIndent);
  if (finding.last_held)
    page.wrap(kIndent, "",
              cut(finding, std::string(finding.last_held->another ? "one of them was " : "") +
                               "last held " + duration_words(finding.last_held->uptime_ms) +
                               " after the start, by " + finding.last_held->path),
              kIndent);
  page.line(kIndent, "certain: nothing outside refers to it", Ink::kDim);
}

void tell_briefly(Page& page, const Report& report, const Finding& finding,
                  const std::string& remark) {
  const Frame* frame = own_frame(stack_of(report, finding.stack()));
  const std::string amount =
      counted(finding.blocks, "block") + ", " + counted(finding.bytes, "byte");
  std::string rest = remark + ", " + times(finding.structures);
  if (frame) rest += ", in " + frame_words(*frame);
  // How often and where matter more than the end of a long name.
  const std::string number = std::to_string(finding.id) + "  ";
  const size_t taken = 2 + number.size() + rest.size() + 2 + amount.size();
  const size_t left = std::max(kReportWidth - std::min(taken, kReportWidth), kReportWidth / 3);
  page.line(2, number + shortened(cut(finding, title_of(finding)), left) + rest, Ink::kPlain,
            amount);
}

void tell_near_leak(Page& page, const Report& report, const Finding& finding) {
  tell_briefly(page, report, finding);
  page.line(kIndent,
            finding.certainty == Certainty::kInteriorOnly
                ? "held only by references into its middle, none to its start"
                : "held only by a word in a stack frame that looks dead",
            Ink::kDim);
}

}  // namespace heaprake::cli
