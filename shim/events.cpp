#include "shim/events.h"

#include "shim/line.h"
#include "shim/options.h"

namespace heaprake::shim {

void on_event(collector::Event event, const char* text) {
  using collector::Event;
  bool detail = event == Event::kCollected || event == Event::kGaveUp;
  if (detail && !settings().verbose) return;
  Line line;
  line << "heaprake: " << text << "\n";
  line.to_error();
}

}  // namespace heaprake::shim
