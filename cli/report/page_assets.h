// The files of html_assets, compiled in.
#pragma once

#include <string_view>

namespace heaprake::cli::page_assets {

extern const std::string_view kHtml, kStyle, kScript;

}  // namespace heaprake::cli::page_assets
