#include "shim/summary.h"

#include "allocator/heap.h"
#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/line.h"
#include "shim/misuse.h"
#include "shim/options.h"

namespace heaprake::shim {

gc_stats current_stats() {
  gc_stats stats = {};
  collector::get_stats(&stats);
  stats.misuses = misuse_count();
  return stats;
}

namespace {

void add_pauses(Line& line, const gc_stats& stats) {
  if (stats.collections == 0) return;
  line << "heaprake: the world stood still for ";
  line.milliseconds(stats.pause_total_ns) << " in all, ";
  line.milliseconds(stats.pause_total_ns / stats.collections) << " on average, ";
  line.milliseconds(stats.pause_max_ns) << " at most; freeing took ";
  line.milliseconds(stats.sweep_total_ns) << "\n";
  line << "heaprake: the last collection left " << stats.live_blocks << " blocks ("
       << stats.live_bytes << " bytes)\n";
}

void add_modes(Line& line, const gc_stats& stats) {
  using collector::Mode;
  if (collector::mode() == Mode::kOracle) {
    line << "heaprake: oracle: " << stats.mistakes << " mistakes\n"
         << "heaprake: oracle: the blocks counted as reclaimed were condemned, not freed\n";
  }
  if (collector::mode() == Mode::kHunt) {
    line << "heaprake: hunt: " << stats.collected << " blocks (" << stats.collected_bytes
         << " bytes) unreachable\n";
  }
  if (settings().verify) {
    line << "heaprake: verify: " << stats.verifier_misses << " missed\n";
  }
}

}  // namespace

bool write_summary(int fd) {
  gc_stats stats = current_stats();
  bool hunt = collector::mode() == collector::Mode::kHunt;  // reclaims nothing
  heap::Usage usage = heap::usage();
  Line line;
  line << "heaprake: " << stats.collections << " collections, " << (hunt ? 0 : stats.collected)
       << " blocks (" << (hunt ? 0 : stats.collected_bytes) << " bytes) reclaimed\n";
  add_modes(line, stats);
  add_pauses(line, stats);
  line << "heaprake: now " << usage.blocks << " blocks (" << usage.used << " bytes) in "
       << usage.committed << " bytes of memory\n";
  if (stats.given_up) {
    line << "heaprake: " << stats.given_up
         << " collections were given up: a thread could not be stopped, or memory not be read\n";
  }
  if (stats.misuses) line << "heaprake: " << stats.misuses << " bad frees reported\n";
  return platform::write_all(fd, line.text(), line.length());
}

}  // namespace heaprake::shim
