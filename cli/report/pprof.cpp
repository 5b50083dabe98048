#include <zlib.h>

#include <map>
#include <tuple>

#include "cli/failure.h"
#include "cli/report/formats.h"
#include "cli/report/frames.h"
#include "cli/report/protobuf.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

// Field numbers of github.com/google/pprof/proto/profile.proto.
namespace profile {
constexpr uint32_t kSampleType = 1, kSample = 2, kMapping = 3, kLocation = 4, kFunction = 5,
                   kStringTable = 6, kTimeNanos = 9, kPeriodType = 11, kPeriod = 12, kComment = 13,
                   kDefaultSampleType = 14;
}
namespace value_type {
constexpr uint32_t kType = 1, kUnit = 2;
}
namespace sample {
constexpr uint32_t kLocationId = 1, kValue = 2;
}
namespace mapping {
constexpr uint32_t kId = 1, kMemoryStart = 2, kMemoryLimit = 3, kFilename = 5, kBuildId = 6,
                   kHasFunctions = 7, kHasFilenames = 8, kHasLineNumbers = 9, kHasInlines = 10;
}
namespace location {
constexpr uint32_t kId = 1, kMappingId = 2, kAddress = 3, kLine = 4;
}
namespace line {
constexpr uint32_t kFunctionId = 1, kLine = 2;
}
namespace function {
constexpr uint32_t kId = 1, kName = 2, kSystemName = 3, kFilename = 4;
}

class Profile {
 public:
  explicit Profile(const Report& report) : report_(report) {
    text("");  // string 0 must be empty
    if (!report.snapshot) return;
    const std::vector<Module>& modules = report.snapshot->modules;
    // pprof takes the first mapping for the program's.
    for (const bool program : {true, false})
      for (size_t i = 0; i < modules.size(); ++i)
        if (((modules[i].flags & HEAPRAKE_MODULE_PROGRAM) != 0) == program)
          add_mapping(modules[i], i);
  }

  void add_sample_type(std::string_view type, std::string_view unit) {
    out_.message(profile::kSampleType, value_type_of(type, unit));
  }

  void add_sample(uint32_t stack, std::span<const uint64_t> values) {
    ProtobufMessage m;
    m.packed(sample::kLocationId, locations_of(stack));
    m.packed(sample::kValue, values);
    out_.message(profile::kSample, m);
  }

  std::string finish() {
    if (report_.snapshot && report_.snapshot->header.taken_ns != 0)
      out_.number(profile::kTimeNanos, report_.snapshot->header.taken_ns);
    out_.message(profile::kPeriodType, value_type_of("space", "bytes"));
    out_.number(profile::kPeriod, 1);
    out_.number(profile::kDefaultSampleType, text("leaked_space"));
    for (const std::string& comment : comments()) out_.number(profile::kComment, text(comment));
    ProtobufMessage strings;
    for (const std::string& s : strings_) strings.text(profile::kStringTable, s);
    return out_.bytes() + strings.bytes();
  }

 private:
  void add_mapping(const Module& module, size_t position) {
    mapping_ids_.try_emplace(module.path, position);
    ProtobufMessage m;
    m.number(mapping::kId, position + 1);
    m.number(mapping::kMemoryStart, module.lo);
    m.number(mapping::kMemoryLimit, module.hi);
    m.number(mapping::kFilename, text(module.path));
    m.number(mapping::kBuildId, text(hex_digits(module.build_id)));
    // Everything has been looked up: pprof need not try.
    for (uint32_t has : {mapping::kHasFunctions, mapping::kHasFilenames, mapping::kHasLineNumbers,
                         mapping::kHasInlines})
      m.number(has, 1);
    out_.message(profile::kMapping, m);
  }

  // What `go tool pprof -comments` shows, and profile stores keep: where the profile comes from.
  std::vector<std::string> comments() const {
    std::vector<std::string> all = {"heaprake " HEAPRAKE_VERSION};
    if (report_.snapshot) {
      if (!report_.snapshot->host.empty()) all.push_back("host: " + report_.snapshot->host);
      if (!report_.snapshot->version.empty())
        all.push_back("libheaprake " + report_.snapshot->version);
    }
    if (!report_.program.empty()) all.push_back("program: " + report_.program[0]);
    all.push_back("pid: " + std::to_string(report_.pid));
    for (const std::string& why : report_.incomplete_because) all.push_back("incomplete: " + why);
    return all;
  }

  uint64_t text(const std::string& value) {
    const auto [entry, fresh] = string_ids_.try_emplace(value, strings_.size());
    if (fresh) strings_.push_back(value);
    return entry->second;
  }

  ProtobufMessage value_type_of(std::string_view type, std::string_view unit) {
    ProtobufMessage m;
    m.number(value_type::kType, text(std::string(type)));
    m.number(value_type::kUnit, text(std::string(unit)));
    return m;
  }

  uint64_t function_of(const Frame& frame) {
    const std::string name = frame_name(frame);
    const auto [entry, fresh] =
        function_ids_.try_emplace({name, frame.file}, function_ids_.size() + 1);
    if (fresh) {
      ProtobufMessage m;
      m.number(function::kId, entry->second);
      m.number(function::kName, text(name));
      m.number(function::kSystemName, text(name));
      m.number(function::kFilename, text(frame.file));
      out_.message(profile::kFunction, m);
    }
    return entry->second;
  }

  // One address: the calls that were inlined there, innermost first, then the function.
  uint64_t location_of(std::span<const Frame> frames) {
    const Frame& last = frames.back();
    const auto module = mapping_ids_.find(last.module);
    const bool known = module != mapping_ids_.end() && !last.module.empty();
    const auto [entry, fresh] = location_ids_.try_emplace({last.module, last.offset, frames.size()},
                                                          location_ids_.size() + 1);
    if (!fresh) return entry->second;
    ProtobufMessage m;
    m.number(location::kId, entry->second);
    if (known) m.number(location::kMappingId, module->second + 1);
    m.number(location::kAddress,
             last.offset + (known ? report_.snapshot->modules[module->second].load : 0));
    for (const Frame& frame : frames) {
      ProtobufMessage l;
      l.number(line::kFunctionId, function_of(frame));
      l.number(line::kLine, frame.line);
      m.message(location::kLine, l);
    }
    out_.message(profile::kLocation, m);
    return entry->second;
  }

  const std::vector<uint64_t>& locations_of(uint32_t stack) {
    const auto [entry, fresh] = stack_locations_.try_emplace(stack);
    if (!fresh) return entry->second;
    const std::vector<Frame>& frames = stack_of(report_, stack);
    for (size_t begin = 0; begin < frames.size();) {
      size_t end = begin + 1;
      while (end < frames.size() && frames[end - 1].inlined) ++end;
      entry->second.push_back(location_of({frames.data() + begin, end - begin}));
      begin = end;
    }
    // Without a location pprof drops the sample, and the total would be wrong.
    if (frames.empty()) {
      Frame unknown;
      unknown.function = "(no stack)";
      entry->second.push_back(location_of({&unknown, 1}));
    }
    return entry->second;
  }

  const Report& report_;
  ProtobufMessage out_;
  std::vector<std::string> strings_;
  std::map<std::string, uint64_t> string_ids_;
  std::map<std::string, size_t> mapping_ids_;  // position in the snapshot's modules
  std::map<std::pair<std::string, std::string>, uint64_t> function_ids_;
  std::map<std::tuple<std::string, uint64_t, size_t>, uint64_t> location_ids_;
  std::map<uint32_t, std::vector<uint64_t>> stack_locations_;
};

std::string compressed(const std::string& content) {
  z_stream stream{};
  constexpr int kGzip = 16;  // added to the window's size: a gzip header instead of zlib's
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzip, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    throw Failure(kExitFailure, "zlib cannot compress the profile");
  std::string out(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw Failure(kExitFailure, "zlib cannot compress the profile");
  return out;
}

struct Amounts {
  uint64_t values[4] = {};  // leaked blocks and bytes, all blocks and bytes
};

}  // namespace

std::string pprof_profile(const Report& report) {
  std::map<uint32_t, Amounts> stacks;
  for (const Finding& finding : report.findings.lost) {
    for (const Share& share : finding.shares) {
      stacks[share.stack].values[0] += share.blocks;
      stacks[share.stack].values[1] += share.bytes;
    }
  }
  const bool all = report.snapshot && report.snapshot->header.flags & HEAPRAKE_SNAPSHOT_ALL;
  for (uint32_t block = 0; all && block < report.snapshot->blocks(); ++block) {
    Amounts& amounts = stacks[report.snapshot->stack[block]];
    ++amounts.values[2];
    amounts.values[3] += report.snapshot->requested[block];
  }
  Profile out(report);
  out.add_sample_type("leaked_objects", "count");
  out.add_sample_type("leaked_space", "bytes");
  if (all) {
    out.add_sample_type("inuse_objects", "count");
    out.add_sample_type("inuse_space", "bytes");
  }
  for (const auto& [stack, amounts] : stacks)
    out.add_sample(stack, {amounts.values, all ? size_t{4} : size_t{2}});
  return compressed(out.finish());
}

}  // namespace heaprake::cli
