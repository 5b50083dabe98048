#include "cli/growth_told.h"

#include "cli/analysis/analysis.h"
#include "cli/report/duration.h"
#include "cli/report/frames.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

std::string with_sign(int64_t number) {
  return number < 0 ? "-" + grouped(static_cast<uint64_t>(-number))
                    : "+" + grouped(static_cast<uint64_t>(number));
}

std::string site_name(const Opened& opened, const Growth& growth) {
  const Frame* frame = own_frame(opened.symbols->stack(growth.stack));
  if (!frame) return growth.stack == 0 ? "blocks of " + counted(growth.size, "byte") : "unknown";
  const std::string place = frame_place(*frame);
  return printable(frame_name(*frame)) + (place.empty() ? "" : " (" + printable(place) + ")");
}

void add_line(const std::string& line, size_t indent, std::string* text) {
  *text += wrapped(std::string(indent, ' ') + line, indent + 2, 0) + "\n";
}

std::string amounts(const char* what, const Amount& before, const Amount& after) {
  return std::string(what) + ": " + grouped(before.blocks) + " -> " +
         counted(after.blocks, "block") + ", " + grouped(before.bytes) + " -> " +
         counted(after.bytes, "byte");
}

void write_amount(JsonWriter& json, std::string_view name, const Amount& amount) {
  json.key(name).begin_object().member("blocks", amount.blocks);
  json.member("bytes", amount.bytes).end_object();
}

}  // namespace

GrowthTold::GrowthTold(const Opened& before, const Opened& after, uint64_t top,
                       const Progress& progress)
    : after_(after),
      top_(top),
      growth_(growth_between(*before.snapshot, before.types, *after.snapshot, after.types)),
      lost_before_(analyse(*before.snapshot, before.types, progress, before.files)),
      lost_after_(analyse(*after.snapshot, after.types, progress, after.files)),
      leaks_(new_leaks(*before.snapshot, lost_before_, *after.snapshot, lost_after_)) {}

std::string GrowthTold::name_of(const Growth& growth) const {
  return growth.type.empty() ? site_name(after_, growth) : printable(growth.type);
}

std::string GrowthTold::holder(const Growth& growth) {
  if (!after_.snapshot->reachable(growth.example)) return "nothing: they are lost";
  if (!paths_) paths_.emplace(after_.names());
  const std::optional<Path> path = paths_->to(growth.example);
  return path ? printable(path_text(after_.names(), *path)) : "a root that was not recorded";
}

void GrowthTold::add_growths(const List& list, std::string* text) {
  if (list.growths.empty()) return;
  *text += std::string("\n") + list.title + "\n";
  for (size_t i = 0; i < list.growths.size() && i < top_; ++i) {
    const Growth& growth = list.growths[i];
    std::string line =
        with_sign(growth.bytes()) + " bytes, " + with_sign(growth.blocks()) + " blocks";
    if (growth_.elapsed_ms > 0)
      line += ", " + with_sign(hourly(growth.bytes(), growth_.elapsed_ms)) + " bytes an hour";
    add_line(line + ": " + name_of(growth), 2, text);
    const bool some_lost = growth.lost.blocks > 0 && growth.lost.blocks < growth.after.blocks;
    add_line(
        "now " + counted(growth.after.bytes, "byte") + " in " +
            counted(growth.after.blocks, "block") +
            (some_lost ? ", " + grouped(growth.lost.blocks) + " of them lost; others are" : ",") +
            " held by " + holder(growth),
        6, text);
  }
  if (list.growths.size() > top_)
    *text += "  and " + grouped(list.growths.size() - top_) + " more: --top " +
             std::to_string(list.growths.size()) + " lists them\n";
}

void GrowthTold::add_leaks(std::string* text) const {
  if (leaks_.empty()) return;
  *text += "\nLost since then:\n";
  for (size_t i = 0; i < leaks_.size() && i < top_; ++i) {
    const Finding& finding = *leaks_[i].finding;
    std::string line = grouped(leaks_[i].structures) + " times " + printable(finding.title);
    const Frame* frame = own_frame(after_.symbols->stack(finding.stack()));
    if (frame) line += ", allocated in " + printable(frame_name(*frame));
    add_line(line, 2, text);
  }
  if (leaks_.size() > top_) *text += "  and " + grouped(leaks_.size() - top_) + " more\n";
}

std::string GrowthTold::text(const std::string& file) {
  std::string text = growth_.same_process
                         ? "two snapshots of process " + std::to_string(after_.snapshot->header.pid)
                         : "snapshots of two processes";
  if (growth_.elapsed_ms > 0) text += ", " + duration_words(growth_.elapsed_ms) + " apart";
  text += "\n";
  add_line(amounts("reachable", growth_.reachable_before, growth_.reachable_after), 2, &text);
  add_line(amounts("lost", growth_.lost_before, growth_.lost_after), 2, &text);
  if (growth_.sites.empty()) text += "\nNothing has grown.\n";
  add_growths({"Allocation sites that have grown:", growth_.sites}, &text);
  add_growths({"Types that have grown:", growth_.types}, &text);
  add_leaks(&text);
  if (!growth_.sites.empty() && !file.empty())
    text += "\nnext, to see all of the way to the block that grows most:\n  heaprake why " +
            shell_quoted(file) + " " +
            hexadecimal(after_.snapshot->address[growth_.sites[0].example]) + "\n";
  return text;
}

void GrowthTold::write_growths(JsonWriter& json, std::string_view name,
                               const std::vector<Growth>& growths) {
  json.key(name).begin_array();
  for (const Growth& growth : growths) {
    json.begin_object().member("name", shortened_inside(name_of(growth), 2 * kLongestName));
    write_amount(json, "before", growth.before);
    write_amount(json, "after", growth.after);
    write_amount(json, "lost", growth.lost);
    json.key("bytes_per_hour").signed_number(hourly(growth.bytes(), growth_.elapsed_ms));
    json.member("held_by", shortened_inside(holder(growth), 2 * kLongestName));
    json.member("example", hexadecimal(after_.snapshot->address[growth.example])).end_object();
  }
  json.end_array();
}

std::string GrowthTold::json() {
  JsonWriter json;
  json.begin_object().member("schema", "heaprake-diff/1");
  json.key("same_process").boolean(growth_.same_process);
  json.member("elapsed_ms", growth_.elapsed_ms);
  write_amount(json, "reachable_before", growth_.reachable_before);
  write_amount(json, "reachable_after", growth_.reachable_after);
  write_amount(json, "lost_before", growth_.lost_before);
  write_amount(json, "lost_after", growth_.lost_after);
  write_growths(json, "sites", growth_.sites);
  write_growths(json, "types", growth_.types);
  json.key("new_leaks").begin_array();
  for (const NewLeak& leak : leaks_) {
    json.begin_object().member("title", shortened_inside(leak.finding->title, 2 * kLongestName));
    json.member("shape", cli::name_of(leak.finding->shape));
    json.member("structures", leak.structures).end_object();
  }
  json.end_array().end_object();
  return json.text();
}

}  // namespace heaprake::cli
