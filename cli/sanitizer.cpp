#include "cli/sanitizer.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace heaprake::cli {

namespace {

struct Sanitizer {
  const char* name;
  // GCC's library, Clang's, and the symbol that the run-time exports where it is linked in.
  std::string_view library, clang_library, symbol;
};
constexpr Sanitizer kSanitizers[] = {
    {"AddressSanitizer", "libasan.so", "libclang_rt.asan", "__asan_init"},
    {"HWAddressSanitizer", "libhwasan.so", "libclang_rt.hwasan", "__hwasan_init"},
    {"LeakSanitizer", "liblsan.so", "libclang_rt.lsan", "__lsan_init"},
    {"MemorySanitizer", "libmsan.so", "libclang_rt.msan", "__msan_init"},
    {"ThreadSanitizer", "libtsan.so", "libclang_rt.tsan", "__tsan_init"},
};

// Larger ones are damage, or not worth the time.
constexpr uint64_t kMostDynamic = 64 << 10, kMostStrings = 256 << 20, kMostSymbols = 256 << 20;

// Where the byte that is mapped at `address` lies in the file; 0 if nowhere.
uint64_t offset_of(const std::vector<Elf64_Phdr>& segments, uint64_t address) {
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD && address - segment.p_vaddr < segment.p_filesz)
      return segment.p_offset + (address - segment.p_vaddr);
  }
  return 0;
}

struct Dynamic {
  uint64_t strings = 0, strings_size = 0, symbols = 0;
  std::vector<uint64_t> needed;  // offsets into the strings
};

Dynamic read_dynamic(const ReadableFile& file, const std::vector<Elf64_Phdr>& segments) {
  Dynamic found;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type != PT_DYNAMIC) continue;
    const std::string bytes =
        file.read(segment.p_offset, std::min<uint64_t>(segment.p_filesz, kMostDynamic));
    for (size_t at = 0; at + sizeof(Elf64_Dyn) <= bytes.size(); at += sizeof(Elf64_Dyn)) {
      Elf64_Dyn entry;
      std::memcpy(&entry, bytes.data() + at, sizeof entry);
      if (entry.d_tag == DT_NULL) break;
      if (entry.d_tag == DT_STRTAB) found.strings = entry.d_un.d_ptr;
      if (entry.d_tag == DT_STRSZ) found.strings_size = entry.d_un.d_val;
      if (entry.d_tag == DT_SYMTAB) found.symbols = entry.d_un.d_ptr;
      if (entry.d_tag == DT_NEEDED) found.needed.push_back(entry.d_un.d_val);
    }
  }
  return found;
}

std::string_view text_at(const std::string& strings, uint64_t offset) {
  if (offset >= strings.size()) return {};
  const std::string_view rest = std::string_view(strings).substr(offset);
  return rest.substr(0, rest.find('\0'));
}

// Whether the symbol is defined here. How many there are is nowhere said; linkers put the names
// behind them.
bool defines(const std::string& symbols, const std::string& strings, std::string_view name) {
  for (size_t at = 0; at + sizeof(Elf64_Sym) <= symbols.size(); at += sizeof(Elf64_Sym)) {
    Elf64_Sym symbol;
    std::memcpy(&symbol, symbols.data() + at, sizeof symbol);
    if (symbol.st_shndx != SHN_UNDEF && text_at(strings, symbol.st_name) == name) return true;
  }
  return false;
}

}  // namespace

const char* sanitizer_of(const ReadableFile& file, const std::vector<Elf64_Phdr>& segments) {
  const Dynamic dynamic = read_dynamic(file, segments);
  const uint64_t place = offset_of(segments, dynamic.strings);
  if (place == 0 || dynamic.strings_size > kMostStrings) return nullptr;
  const std::string strings = file.read(place, dynamic.strings_size);
  for (const Sanitizer& sanitizer : kSanitizers) {
    for (uint64_t offset : dynamic.needed) {
      const std::string_view library = text_at(strings, offset);
      if (library.starts_with(sanitizer.library) || library.starts_with(sanitizer.clang_library))
        return sanitizer.name;
    }
    if (strings.find(sanitizer.symbol) == std::string::npos) continue;
    const uint64_t symbols = offset_of(segments, dynamic.symbols);
    if (symbols == 0 || dynamic.strings - dynamic.symbols > kMostSymbols) continue;
    if (defines(file.read(symbols, dynamic.strings - dynamic.symbols), strings, sanitizer.symbol))
      return sanitizer.name;
  }
  return nullptr;
}

}  // namespace heaprake::cli
