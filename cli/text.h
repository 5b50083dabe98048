// Words and numbers as people read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heaprake::cli {

inline constexpr size_t kReportWidth = 100;  // columns that no line of ours exceeds by itself

std::string grouped(uint64_t number);                         // 65536 -> "65,536"
std::string counted(uint64_t number, std::string_view noun);  // "1 block", "2 blocks"
std::string hexadecimal(uint64_t number);                     // "0x7f00..."
std::string hex_digits(std::string_view bytes);               // "7f00..."
std::string binary_size(uint64_t bytes);                      // "1.2 MiB"

// The word as a POSIX shell must see it, and a whole command line of such words.
std::string shell_quoted(std::string_view word);
std::string shell_command(const std::vector<std::string>& words);

// The text with its control characters made visible: it may come from another process.
std::string printable(std::string_view text);

// Cuts the text to `width` columns, ending in "...".
std::string shortened(std::string text, size_t width);

// Bytes of a name in JSON, and half of those of a sentence with names in it.
inline constexpr size_t kLongestName = 2000;

// Cuts out of its middle what is more than `most` bytes, with "…" in its place.
std::string shortened_inside(std::string_view text, size_t most);

// The candidate that a misspelt word most likely meant; "" when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// The text broken into lines of at most kReportWidth columns; lines after the first are indented.
std::string wrapped(std::string_view text, size_t indent, size_t first_column);

// Decimal digits only, no sign, no space; false on anything else or overflow.
bool parse_number(std::string_view text, uint64_t* number);

}  // namespace heaprake::cli
