// HEAPRAKE_OPTIONS: whatever the text, settings stay legal and complaints are whole lines.
#include <cstdlib>
#include <string>

#include "shim/options.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

void check_complaint(const char* text, size_t length) {
  must(length > 0 && std::string(text, length).starts_with("heaprake: HEAPRAKE_OPTIONS: "));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static heaprake::shim::Settings settings;
  const std::string text(reinterpret_cast<const char*>(data), size);
  heaprake::shim::set_defaults(&settings);
  heaprake::shim::parse_options(text.c_str(), &settings, check_complaint);
  must(settings.growth <= 10000 && settings.markers <= 64 && settings.tags <= 17);
  must(settings.alignment == 0 || settings.alignment == 1 || settings.alignment == 4 ||
       settings.alignment == 8);
  must(std::string(settings.stats.path).size() < sizeof settings.stats.path);
  return 0;
}
