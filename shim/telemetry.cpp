#include "shim/telemetry.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/fork.h"
#include "shim/options.h"
#include "shim/summary.h"

namespace heaprake::shim {
namespace {

constexpr uint64_t kPeriod = 1'000'000'000;  // between two versions of the metrics

struct Figure {
  const char* name;
  const char* sentence;
  uint64_t gc_stats::*value;
};
constexpr Figure kFigures[] = {
#define HEAPRAKE_STAT(type, name, sentence) {#name, sentence, &gc_stats::name},
#include "heaprake/stats.def"
#undef HEAPRAKE_STAT
};

// What may fall again is a gauge.
bool is_gauge(const char* name) {
  for (const char* gauge : {"live_blocks", "live_bytes", "root_bytes", "threads_stopped",
                            "pause_last_ns", "pause_max_ns", "finalizers_waiting"}) {
    if (std::strcmp(name, gauge) == 0) return true;
  }
  // Mode hunt: what the last collection found.
  return collector::mode() == collector::Mode::kHunt && std::strncmp(name, "collected", 9) == 0;
}

// A figure as Prometheus wants it named: pause_total_ns is heaprake_pause_seconds, of which the
// counter's sample is heaprake_pause_seconds_total.
struct Family {
  explicit Family(const char* figure) : gauge(is_gauge(figure)) {
    size_t length = std::strlen(figure);
    const auto drop = [&](const char* end) {
      const size_t dropped = std::strlen(end);
      const bool there =
          length > dropped && std::memcmp(figure + length - dropped, end, dropped) == 0;
      if (there) length -= dropped;
      return there;
    };
    is_time = drop("_ns");
    drop("_total");
    snprintf(name, sizeof name, "heaprake_%.*s%s", static_cast<int>(length), figure,
             is_time ? "_seconds" : "");
  }
  char name[80];
  bool gauge;
  bool is_time;
};

// Text that is written to a file as it comes, in pieces, until one cannot be.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  bool ok() const { return ok_; }
  template <class... Arguments>
  void add(const char* format, Arguments... arguments) {
    char text[512];
    const int length = snprintf(text, sizeof text, format, arguments...);
    if (length > 0 && ok_)
      ok_ = platform::write_all(fd_, text, std::min(static_cast<size_t>(length), sizeof text - 1));
  }

 private:
  int fd_;
  bool ok_ = true;
};

unsigned long long number(uint64_t value) {
  return value;
}

// Of the two formats that Prometheus reads, OpenMetrics names a counter's family without "_total".
// Files named *.prom are node_exporter's, which reads the other one alone.
enum class Format { kPrometheus, kOpenMetrics };

Format format_of(const char* path) {
  const size_t length = std::strlen(path);
  const bool is_prom = length > 5 && std::strcmp(path + length - 5, ".prom") == 0;
  return is_prom ? Format::kPrometheus : Format::kOpenMetrics;
}

void write_figure(File& file, Format format, const Figure& figure, uint64_t value) {
  const Family family(figure.name);
  const char* const sample_end = family.gauge ? "" : "_total";
  const char* const end = format == Format::kPrometheus ? sample_end : "";
  file.add("# HELP %s%s %s.\n# TYPE %s%s %s\n", family.name, end, figure.sentence, family.name, end,
           family.gauge ? "gauge" : "counter");
  file.add("%s%s{pid=\"%d\"} ", family.name, sample_end, platform::process_id());
  constexpr uint64_t kSecond = 1'000'000'000;
  if (family.is_time) {
    file.add("%llu.%09llu\n", number(value / kSecond), number(value % kSecond));
  } else {
    file.add("%llu\n", number(value));
  }
}

// false: not all of it could be written.
bool write_metrics(int fd, Format format) {
  File file(fd);
  const gc_stats stats = current_stats();
  for (const Figure& figure : kFigures) write_figure(file, format, figure, stats.*figure.value);
  const int pid = platform::process_id();
  file.add(
      "# HELP heaprake_committed_bytes memory committed for blocks now.\n"
      "# TYPE heaprake_committed_bytes gauge\nheaprake_committed_bytes{pid=\"%d\"} %zu\n",
      pid, heap::committed_bytes());
  file.add(
      "# HELP heaprake_build_info version of the library.\n# TYPE heaprake_build_info gauge\n"
      "heaprake_build_info{pid=\"%d\",version=\"" HEAPRAKE_VERSION "\"} 1\n",
      pid);
  if (format == Format::kOpenMetrics) file.add("%s", "# EOF\n");
  return file.ok();
}

// Files are written again and again: what is wrong with one is told once.
void tell_once(bool* told, const char* path) {
  if (!*told) tell_unwritable(path);
  *told = true;
}

// A reader finds the old version or the new one, never half of one: a version that does not fit
// leaves the old one. What is no regular file, a device or a pipe, is written as it is.
bool replace_metrics(char (&path)[PATH_MAX]) {
  char fresh[PATH_MAX];
  const Format format = format_of(path);  // by the name that was given, not a link's target
  const bool replaceable = platform::is_replaceable(path);
  const int fd =
      replaceable ? platform::open_beside(path, fresh) : platform::open_for_writing(path);
  if (fd < 0) return false;
  bool done = write_metrics(fd, format);
  if (replaceable) {
    done = done && platform::rename_file(fresh, path);
    if (!done) platform::remove_file(fresh);
  }
  platform::close_file(fd);
  return done;
}

void renew_metrics() {
  static bool told = false;
  char path[PATH_MAX];
  if (!path_of(settings().metrics, path)) return;
  if (!replace_metrics(path)) tell_once(&told, path);
}

// Guarded by the collector's lock, as is whoever calls tell_collection. A forked child's figures
// begin anew.
gc_stats before;
int before_in_process;
uint64_t replaced_ns;

void append_event(const gc_stats& now) {
  static bool told = false;
  char path[PATH_MAX];
  if (!path_of(settings().events, path)) return;
  char text[640];
  const int length = snprintf(
      text, sizeof text,
      "{\"time_ns\": %llu, \"pid\": %d, \"collection\": %llu, \"why\": \"%s\", \"pause_ns\": %llu, "
      "\"stop_ns\": %llu, \"mark_ns\": %llu, \"sweep_ns\": %llu, \"freed_blocks\": %llu, "
      "\"freed_bytes\": %llu, \"live_blocks\": %llu, \"live_bytes\": %llu, \"root_bytes\": %llu, "
      "\"threads_stopped\": %llu}\n",
      number(platform::realtime_ns()), platform::process_id(), number(now.collections),
      now.automatic != before.automatic ? "threshold" : "asked for", number(now.pause_last_ns),
      number(now.stop_total_ns - before.stop_total_ns),
      number(now.mark_total_ns - before.mark_total_ns),
      number(now.sweep_total_ns - before.sweep_total_ns), number(now.collected - before.collected),
      number(now.collected_bytes - before.collected_bytes), number(now.live_blocks),
      number(now.live_bytes), number(now.root_bytes), number(now.threads_stopped));
  if (!platform::append_to_file(path, text, static_cast<size_t>(length))) tell_once(&told, path);
}

// Several processes may be told the same path: a forked child leaves it to its parent.
bool is_wanted(const Output& output) {
  return output.on() && !output.to_error && (output.names_process() || !was_forked());
}

}  // namespace

void tell_collection() {
  if (is_wanted(settings().events)) {
    const gc_stats now = current_stats();
    const int process = platform::process_id();
    if (before_in_process != process) before = {};
    before_in_process = process;
    append_event(now);
    before = now;
  }
  if (!is_wanted(settings().metrics)) return;
  const uint64_t now = platform::monotonic_ns();
  if (replaced_ns != 0 && now - replaced_ns < kPeriod) return;
  replaced_ns = now;
  renew_metrics();
}

void tell_end() {
  if (is_wanted(settings().metrics)) renew_metrics();
}

}  // namespace heaprake::shim
