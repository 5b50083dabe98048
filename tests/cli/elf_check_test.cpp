#include "cli/elf_check.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "cli/failure.h"
#include "temporary_files.h"

namespace heaprake::cli {
namespace {

const Identity kSelf = {1000, 1000, false};

// A 64-bit x86 program as far as its headers go.
struct Elf {
  Elf64_Ehdr header{};
  Elf64_Phdr segments[3]{};
  std::string loader = "/lib64/ld-linux-x86-64.so.2";

  Elf() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_machine = EM_X86_64;
    header.e_type = ET_DYN;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof segments[0];
    header.e_phnum = 3;
    segments[0].p_type = PT_LOAD;
    segments[1].p_type = PT_INTERP;
    segments[1].p_offset = sizeof header + sizeof segments;
    segments[2].p_type = PT_NULL;
  }
  // Puts a dynamic section behind the rest: one library that is needed, and one symbol.
  std::string with_dynamic(const std::string& library, const std::string& symbol, bool defined) {
    const std::string before = bytes();
    const std::string strings = '\0' + library + '\0' + symbol + '\0';
    Elf64_Sym symbols[2]{};
    symbols[1].st_name = static_cast<Elf64_Word>(library.size() + 2);
    symbols[1].st_shndx = defined ? 1 : SHN_UNDEF;
    const uint64_t at_symbols = before.size(), at_strings = at_symbols + sizeof symbols;
    const Elf64_Dyn entries[] = {{DT_NEEDED, {1}},
                                 {DT_STRTAB, {at_strings}},
                                 {DT_STRSZ, {strings.size()}},
                                 {DT_SYMTAB, {at_symbols}},
                                 {DT_NULL, {0}}};
    segments[2].p_type = PT_DYNAMIC;
    segments[2].p_offset = at_strings + strings.size();
    segments[2].p_filesz = sizeof entries;
    segments[0].p_filesz = segments[2].p_offset + sizeof entries;
    return bytes().append(reinterpret_cast<const char*>(symbols), sizeof symbols) + strings +
           std::string(reinterpret_cast<const char*>(entries), sizeof entries);
  }
  std::string bytes() {
    segments[1].p_filesz = loader.size() + 1;
    std::string all(reinterpret_cast<const char*>(&header), sizeof header);
    all.append(reinterpret_cast<const char*>(segments), sizeof segments);
    return all + loader + '\0';
  }
};

class ElfCheck : public ::testing::Test {
 protected:
  // The sentence, "" if the program may run.
  std::string verdict(const std::string& path, const Identity& identity = kSelf) {
    try {
      check_program(path, identity);
    } catch (const Failure& failure) {
      status_ = failure.status;
      return failure.message;
    }
    status_ = 0;
    return "";
  }
  std::string verdict_of(const std::string& content) {
    return verdict(files_.write("program", content, 0755));
  }
  void expect_refused(const std::string& content, const std::string& words) {
    const std::string message = verdict_of(content);
    EXPECT_NE(message.find(words), std::string::npos) << "\"" << message << "\"";
    EXPECT_EQ(status_, kExitNotExecutable);
  }

  test::Files files_;
  int status_ = 0;
};

TEST_F(ElfCheck, DynamicProgramsPass) {
  EXPECT_EQ(verdict_of(Elf().bytes()), "");
  EXPECT_EQ(verdict("/bin/sh"), "");
  EXPECT_EQ(verdict("/lib64/ld-linux-x86-64.so.2"), "");
}

TEST_F(ElfCheck, StaticProgramsAreRefused) {
  Elf elf;
  elf.segments[1].p_type = PT_NOTE;
  expect_refused(elf.bytes(), "statically linked");
}

TEST_F(ElfCheck, OtherMachinesAreRefused) {
  Elf elf;
  elf.header.e_ident[EI_CLASS] = ELFCLASS32;
  expect_refused(elf.bytes(), "32-bit");
  expect_refused(elf.bytes().substr(0, 20), "32-bit");
  elf = Elf();
  elf.header.e_machine = EM_AARCH64;
  expect_refused(elf.bytes(), "another kind of machine");
  elf = Elf();
  elf.header.e_ident[EI_DATA] = ELFDATA2MSB;
  expect_refused(elf.bytes(), "another kind of machine");
}

TEST_F(ElfCheck, AnotherLibcIsRefused) {
  Elf elf;
  elf.loader = "/lib/ld-musl-x86_64.so.1";
  expect_refused(elf.bytes(), "musl");
}

TEST_F(ElfCheck, ProgramsWithAnAllocatorOfASanitizerAreRefused) {
  expect_refused(Elf().with_dynamic("libtsan.so.2", "x", false), "ThreadSanitizer");
  expect_refused(Elf().with_dynamic("libasan.so.8", "x", false), "with AddressSanitizer");
  expect_refused(Elf().with_dynamic("libclang_rt.hwasan-x86_64.so", "x", false), "HWAddress");
  expect_refused(Elf().with_dynamic("libc.so.6", "__msan_init", true), "MemorySanitizer");
  expect_refused(Elf().with_dynamic("libc.so.6", "__lsan_init", true), "own allocator");
  EXPECT_EQ(verdict_of(Elf().with_dynamic("libc.so.6", "__asan_init", false)), "");
  EXPECT_EQ(verdict_of(Elf().with_dynamic("libubsan.so.1", "x", true)), "");
  // A file that ends early hides them, and nothing goes wrong.
  const std::string whole = Elf().with_dynamic("libtsan.so.2", "__tsan_init", true);
  for (size_t length = Elf().bytes().size(); length < whole.size(); ++length)
    verdict_of(whole.substr(0, length));
}

TEST_F(ElfCheck, DamagedFilesAreRefusedAtEveryLength) {
  const std::string whole = Elf().bytes();
  for (size_t length = 5; length < sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr); ++length) {
    EXPECT_NE(verdict_of(whole.substr(0, length)), "") << length;
    EXPECT_EQ(status_, kExitNotExecutable);
  }
  Elf elf;
  elf.header.e_phoff = UINT64_MAX - 8;
  EXPECT_NE(verdict_of(elf.bytes()), "");
  elf = Elf();
  elf.header.e_type = ET_REL;
  expect_refused(elf.bytes(), "not a program");
}

TEST_F(ElfCheck, SetIdProgramsAreRefusedUnlessTheyChangeNothing) {
  const std::string path = files_.write("program", Elf().bytes());
  const uid_t owner = geteuid();
  const gid_t group = getegid();
  ASSERT_EQ(chmod(path.c_str(), 04755), 0);
  EXPECT_NE(verdict(path, {owner + 1, group, false}).find("set-user-ID"), std::string::npos);
  EXPECT_EQ(status_, kExitNotExecutable);
  EXPECT_EQ(verdict(path, {owner, group, false}), "");
  EXPECT_EQ(verdict(path, {owner + 1, group, true}), "");
  ASSERT_EQ(chmod(path.c_str(), 02755), 0);
  EXPECT_NE(verdict(path, {owner, group + 1, false}).find("set-group-ID"), std::string::npos);
  EXPECT_EQ(verdict(path, {owner, group, false}), "");
  ASSERT_EQ(chmod(path.c_str(), 02745), 0);
  EXPECT_EQ(verdict(path, {owner, group + 1, false}), "");
}

TEST_F(ElfCheck, ScriptsAreJudgedByTheirInterpreter) {
  EXPECT_EQ(verdict_of("#!/bin/sh\n"), "");
  EXPECT_EQ(verdict_of("#! /bin/sh -e\n"), "");
  EXPECT_EQ(verdict_of("#!/bin/sh"), "");
  Elf elf;
  elf.segments[1].p_type = PT_NOTE;
  const std::string interpreter = files_.write("static", elf.bytes(), 0755);
  const std::string inner = files_.write("inner", "#!" + interpreter + " -x\n", 0755);
  expect_refused("#!" + inner + "\n", "statically linked");
  expect_refused("#!  \n", "names no interpreter");
  expect_refused("#!" + files_.path("program") + "\n", "without end");
}

TEST_F(ElfCheck, AMissingInterpreterIsNotFound) {
  EXPECT_NE(verdict_of("#!/nonexistent/sh\n").find("/nonexistent/sh"), std::string::npos);
  EXPECT_EQ(status_, kExitNotFound);
}

TEST_F(ElfCheck, TextsWithoutAnInterpreterAreForTheShell) {
  EXPECT_EQ(verdict_of("echo hello\n"), "");
  EXPECT_TRUE(is_shell_text(files_.write("text", "echo hello\n")));
  EXPECT_FALSE(is_shell_text(files_.write("binary", std::string("a\0b", 3))));
  EXPECT_FALSE(is_shell_text(files_.write("elf", Elf().bytes())));
}

class FindProgram : public ElfCheck {
 protected:
  FindProgram() : path_before_(getenv("PATH")) {}
  ~FindProgram() override { setenv("PATH", path_before_.c_str(), 1); }
  std::string find(const std::string& name) {
    try {
      status_ = 0;
      return find_program(name);
    } catch (const Failure& failure) {
      status_ = failure.status;
      return "";
    }
  }
  std::string path_before_;
};

TEST_F(FindProgram, SearchesPathInOrder) {
  const std::string program = files_.write("prog", "", 0755);
  const std::string directory = program.substr(0, program.rfind('/'));
  setenv("PATH", ("/nonexistent:" + directory).c_str(), 1);
  EXPECT_EQ(find("prog"), program);
  EXPECT_EQ(find(program), program);
  EXPECT_EQ(find("absent"), "");
  EXPECT_EQ(status_, kExitNotFound);
  EXPECT_EQ(find(""), "");
  EXPECT_EQ(status_, kExitNotFound);
}

TEST_F(FindProgram, AFileThatMayNotRunIsTold) {
  const std::string program = files_.write("prog", "", 0644);
  setenv("PATH", program.substr(0, program.rfind('/')).c_str(), 1);
  EXPECT_EQ(find("prog"), "");
  EXPECT_EQ(status_, kExitNotExecutable);
  EXPECT_EQ(find("/tmp"), "");
  EXPECT_EQ(status_, kExitNotExecutable);
  EXPECT_EQ(find("/nonexistent/prog"), "");
  EXPECT_EQ(status_, kExitNotFound);
}

}  // namespace
}  // namespace heaprake::cli
