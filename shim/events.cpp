#include "shim/events.h"

#include "shim/line.h"
#include "shim/options.h"
#include "shim/telemetry.h"

namespace heaprake::shim {

static bool is_debugged(collector::Event event) {
  return event == collector::Event::kCollected && (collector::debug() & GC_DEBUG_STATS);
}

void on_event(collector::Event event, const char* text) {
  using collector::Event;
  if (event == Event::kCollected) tell_collection();
  bool detail = event == Event::kCollected || event == Event::kGaveUp;
  if (detail && !settings().verbose && !is_debugged(event)) return;
  Line line;
  line << "heaprake: " << text << "\n";
  line.to_error();
}

}  // namespace heaprake::shim
