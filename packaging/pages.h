// The files that are made from the project's tables. Each returns a whole file.
#pragma once

#include <string>

namespace heaprake::packaging {

std::string command_page();                       // heaprake(1)
std::string library_page();                       // libheaprake(7)
std::string options_page();                       // docs/options.md
std::string api_page(const std::string& header);  // gc(3), from the text of gc.h
std::string bash_completion();
std::string zsh_completion();

}  // namespace heaprake::packaging
