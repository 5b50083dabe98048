// A file that somebody has named, as a whole.
#pragma once

#include <optional>
#include <string>

namespace heaprake::cli {

// Pipes and devices as well; none if it cannot be read to its end, as a directory cannot.
std::optional<std::string> read_text_file(const std::string& path);

}  // namespace heaprake::cli
