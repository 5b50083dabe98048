// An ELF file as the loader would have laid it out: what a word of it holds once relocations are
// done, without the program running. Works without sections and symbol tables, since it goes by
// what the loader itself needs. Addresses are the file's own.
#pragma once

#include <elf.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace heaprake::cli {

class ElfImage {
 public:
  // A file that cannot be read is one in which nothing is found.
  explicit ElfImage(const std::string& path);
  ~ElfImage();
  ElfImage(const ElfImage&) = delete;
  ElfImage& operator=(const ElfImage&) = delete;

  const std::string& build_id() const { return build_id_; }  // raw bytes, "" if it has none

  struct Word {
    uint64_t value = 0;
    // The symbol that the loader looks up for it, "" if none; `value` is then what the file itself
    // has for that symbol, 0 if it is defined elsewhere, plus the addend.
    std::string symbol;
  };
  // The word at an address, nothing if the file has none there.
  std::optional<Word> word(uint64_t address) const;
  // The text at an address up to its NUL, nothing if it is longer than `most`.
  std::optional<std::string> text(uint64_t address, size_t most) const;
  // Where the function that contains the address begins, as the table for unwinding has it: it is
  // there in stripped files too.
  std::optional<uint64_t> function_start(uint64_t address) const;
  // Whether the program cannot write there: vtables are nowhere else.
  bool is_constant(uint64_t address) const;
  // The symbol whose object the loader has copied from a library to a place that contains the
  // address (what a program that is not position-independent does), "" if there is none.
  std::string copied_symbol(uint64_t address, uint64_t* offset) const;

 private:
  struct Relocation {
    uint64_t at, addend;
    uint32_t type, symbol;
  };

  bool read(uint64_t position, void* to, size_t bytes) const;
  bool read_at(uint64_t address, void* to, size_t bytes) const;
  void read_headers();
  void read_notes(const Elf64_Phdr& segment);
  void read_dynamic(const Elf64_Phdr& segment);
  void read_functions(const Elf64_Phdr& segment);
  void read_relocations(uint64_t address, uint64_t bytes);
  bool read_symbol(uint32_t index, Elf64_Sym* symbol, std::string* name) const;

  int fd_;
  std::vector<Elf64_Phdr> loads_;
  uint64_t relro_lo_ = 0, relro_hi_ = 0;
  uint64_t symbols_ = 0, strings_ = 0;   // addresses of the dynamic tables
  std::vector<Relocation> relocations_;  // by address, RELATIVE ones of DT_RELR not among them
  std::vector<Relocation> copies_;
  std::vector<uint64_t> functions_;  // their first addresses, ascending
  std::string build_id_;
};

}  // namespace heaprake::cli
