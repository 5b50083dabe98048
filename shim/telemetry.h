// Figures for other programs: an OpenMetrics file that is replaced as a whole (option metrics), and
// a line of JSON for each collection (option events). Files are open only while they are written.
#pragma once

namespace heaprake::shim {

// After a collection, on the collecting thread, while the world runs.
void tell_collection();
// At exit: the metrics once more.
void tell_end();

}  // namespace heaprake::shim
