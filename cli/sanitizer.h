// Sanitizers that bring an allocator of their own, in a program's dynamic section.
#pragma once

#include <elf.h>

#include <vector>

#include "cli/readable_file.h"

namespace heaprake::cli {

// The sanitizer's name, nullptr if there is none. The file may be damaged, which others complain
// of.
const char* sanitizer_of(const ReadableFile& file, const std::vector<Elf64_Phdr>& segments);

}  // namespace heaprake::cli
