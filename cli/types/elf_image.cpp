#include "cli/types/elf_image.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace heaprake::cli {

namespace {

constexpr uint64_t kMostHeaders = 1000;
constexpr uint64_t kMostTable = uint64_t{1} << 30;  // bytes of relocations

}  // namespace

ElfImage::ElfImage(const std::string& path)
    : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (fd_ >= 0) read_headers();
}

ElfImage::~ElfImage() {
  if (fd_ >= 0) close(fd_);
}

bool ElfImage::read(uint64_t position, void* to, size_t bytes) const {
  auto* next = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t n = pread(fd_, next, bytes, static_cast<off_t>(position));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    next += n;
    position += static_cast<uint64_t>(n);
    bytes -= static_cast<size_t>(n);
  }
  return true;
}

bool ElfImage::read_at(uint64_t address, void* to, size_t bytes) const {
  for (const Elf64_Phdr& load : loads_) {
    const uint64_t offset = address - load.p_vaddr;
    if (address < load.p_vaddr || offset >= load.p_filesz || bytes > load.p_filesz - offset)
      continue;
    return read(load.p_offset + offset, to, bytes);
  }
  return false;
}

void ElfImage::read_headers() {
  Elf64_Ehdr header;
  if (!read(0, &header, sizeof header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr) ||
      header.e_phnum > kMostHeaders)
    return;
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  if (!read(header.e_phoff, segments.data(), segments.size() * sizeof(Elf64_Phdr))) return;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD) loads_.push_back(segment);
    if (segment.p_type == PT_GNU_RELRO) {
      relro_lo_ = segment.p_vaddr;
      relro_hi_ = segment.p_vaddr + segment.p_memsz;
    }
  }
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_NOTE) read_notes(segment);
    if (segment.p_type == PT_DYNAMIC) read_dynamic(segment);
    if (segment.p_type == PT_GNU_EH_FRAME) read_functions(segment);
  }
}

void ElfImage::read_notes(const Elf64_Phdr& segment) {
  constexpr size_t kMostNotes = 1 << 20;
  std::string notes(std::min<uint64_t>(segment.p_filesz, kMostNotes), '\0');
  if (!read(segment.p_offset, notes.data(), notes.size())) return;
  const auto padded = [](uint64_t n) { return (n + 3) & ~uint64_t{3}; };
  uint64_t at = 0;
  while (at + sizeof(Elf64_Nhdr) <= notes.size()) {
    Elf64_Nhdr note;
    std::memcpy(&note, notes.data() + at, sizeof note);
    const uint64_t name = at + sizeof note;
    const uint64_t content = name + padded(note.n_namesz);
    at = content + padded(note.n_descsz);
    if (at > notes.size()) return;
    if (note.n_type == NT_GNU_BUILD_ID && notes.compare(name, 4, std::string("GNU\0", 4)) == 0)
      build_id_ = notes.substr(content, note.n_descsz);
  }
}

// .eh_frame_hdr: its version, three encodings, an address, and a sorted table of pairs that count
// from its own start. Linkers write it in one way only.
void ElfImage::read_functions(const Elf64_Phdr& segment) {
  constexpr unsigned char kUsual[] = {1, 0x1b, 0x03, 0x3b};
  constexpr uint32_t kMost = 1 << 26;
  struct {
    unsigned char encodings[4];
    int32_t frames;
    uint32_t count;
  } header;
  if (!read(segment.p_offset, &header, sizeof header) ||
      std::memcmp(header.encodings, kUsual, sizeof kUsual) != 0 || header.count > kMost)
    return;
  struct Pair {
    int32_t function, entry;
  };
  std::vector<Pair> pairs(header.count);
  if (!read(segment.p_offset + sizeof header, pairs.data(), pairs.size() * sizeof(Pair))) return;
  for (const Pair& pair : pairs)
    functions_.push_back(segment.p_vaddr + static_cast<uint64_t>(int64_t{pair.function}));
  std::sort(functions_.begin(), functions_.end());
}

std::optional<uint64_t> ElfImage::function_start(uint64_t address) const {
  const auto after = std::upper_bound(functions_.begin(), functions_.end(), address);
  if (after == functions_.begin()) return std::nullopt;
  return after[-1];
}

void ElfImage::read_dynamic(const Elf64_Phdr& segment) {
  std::vector<Elf64_Dyn> entries(std::min<uint64_t>(segment.p_filesz, 1 << 20) / sizeof(Elf64_Dyn));
  if (!read(segment.p_offset, entries.data(), entries.size() * sizeof(Elf64_Dyn))) return;
  uint64_t table = 0, bytes = 0;
  for (const Elf64_Dyn& entry : entries) {
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_RELA) table = entry.d_un.d_ptr;
    if (entry.d_tag == DT_RELASZ) bytes = entry.d_un.d_val;
    if (entry.d_tag == DT_SYMTAB) symbols_ = entry.d_un.d_ptr;
    if (entry.d_tag == DT_STRTAB) strings_ = entry.d_un.d_ptr;
  }
  read_relocations(table, bytes);
}

void ElfImage::read_relocations(uint64_t address, uint64_t bytes) {
  if (bytes > kMostTable) return;
  std::vector<Elf64_Rela> table(bytes / sizeof(Elf64_Rela));
  if (!read_at(address, table.data(), table.size() * sizeof(Elf64_Rela))) return;
  for (const Elf64_Rela& entry : table) {
    const Relocation relocation = {entry.r_offset, static_cast<uint64_t>(entry.r_addend),
                                   static_cast<uint32_t>(ELF64_R_TYPE(entry.r_info)),
                                   static_cast<uint32_t>(ELF64_R_SYM(entry.r_info))};
    if (relocation.type == R_X86_64_COPY)
      copies_.push_back(relocation);
    else if (relocation.type == R_X86_64_RELATIVE || relocation.type == R_X86_64_64 ||
             relocation.type == R_X86_64_GLOB_DAT)
      relocations_.push_back(relocation);
  }
  std::sort(relocations_.begin(), relocations_.end(),
            [](const Relocation& a, const Relocation& b) { return a.at < b.at; });
}

bool ElfImage::read_symbol(uint32_t index, Elf64_Sym* symbol, std::string* name) const {
  constexpr size_t kMostName = 1 << 16;
  if (symbols_ == 0 || strings_ == 0 ||
      !read_at(symbols_ + uint64_t{index} * sizeof(Elf64_Sym), symbol, sizeof *symbol))
    return false;
  const std::optional<std::string> found = text(strings_ + symbol->st_name, kMostName);
  if (found) *name = *found;
  return found.has_value();
}

std::optional<ElfImage::Word> ElfImage::word(uint64_t address) const {
  const auto found =
      std::lower_bound(relocations_.begin(), relocations_.end(), address,
                       [](const Relocation& r, uint64_t place) { return r.at < place; });
  Word word;
  if (found == relocations_.end() || found->at != address) {
    // Not relocated, or by DT_RELR, whose addend stands in the word itself.
    if (!read_at(address, &word.value, sizeof word.value)) return std::nullopt;
    return word;
  }
  word.value = found->addend;
  if (found->type == R_X86_64_RELATIVE) return word;
  Elf64_Sym symbol{};
  if (!read_symbol(found->symbol, &symbol, &word.symbol)) return std::nullopt;
  word.value += symbol.st_shndx == SHN_UNDEF ? 0 : symbol.st_value;
  return word;
}

std::optional<std::string> ElfImage::text(uint64_t address, size_t most) const {
  constexpr size_t kPiece = 128;
  std::string text;
  while (text.size() < most) {
    char piece[kPiece];
    size_t got = kPiece;
    // The text may be the last of its segment.
    while (got > 0 && !read_at(address + text.size(), piece, got)) got /= 2;
    if (got == 0) return std::nullopt;
    const void* end = std::memchr(piece, 0, got);
    if (end) return text.append(piece, static_cast<size_t>(static_cast<const char*>(end) - piece));
    text.append(piece, got);
  }
  return std::nullopt;
}

bool ElfImage::is_constant(uint64_t address) const {
  if (address >= relro_lo_ && address < relro_hi_) return true;
  for (const Elf64_Phdr& load : loads_) {
    if (address - load.p_vaddr < load.p_memsz && address >= load.p_vaddr)
      return (load.p_flags & PF_W) == 0;
  }
  return false;
}

std::string ElfImage::copied_symbol(uint64_t address, uint64_t* offset) const {
  for (const Relocation& copy : copies_) {
    Elf64_Sym symbol{};
    std::string name;
    if (address < copy.at || !read_symbol(copy.symbol, &symbol, &name)) continue;
    if (address - copy.at >= symbol.st_size) continue;
    *offset = address - copy.at;
    return name;
  }
  return "";
}

}  // namespace heaprake::cli
