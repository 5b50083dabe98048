#include "cli/text_file.h"

#include <fstream>
#include <iterator>

namespace heaprake::cli {

std::optional<std::string> read_text_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  try {
    std::string text{std::istreambuf_iterator<char>(file), {}};
    return text;
  } catch (const std::ios_base::failure&) {  // the library throws where the kernel refuses to read
    return std::nullopt;
  }
}

}  // namespace heaprake::cli
