#include "cli/elf_check.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "cli/failure.h"
#include "cli/readable_file.h"
#include "cli/sanitizer.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw Failure(kExitNotExecutable, shell_quoted(path) + " " + why);
}

// A program that gains privileges when it starts runs in the loader's secure mode, which ignores
// LD_PRELOAD libraries outside the system's own directories.
void check_privileges(const std::string& path, const struct stat& status,
                      const Identity& identity) {
  if (identity.no_new_privileges) return;
  struct statvfs filesystem;
  if (statvfs(path.c_str(), &filesystem) == 0 && (filesystem.f_flag & ST_NOSUID)) return;
  static constexpr const char* kWhy =
      ", so the dynamic loader ignores LD_PRELOAD for it: run it as the user it changes to";
  if ((status.st_mode & S_ISUID) && status.st_uid != identity.user)
    refuse(path, std::string("is a set-user-ID program") + kWhy);
  // Without the group's execute bit the set-group-ID bit means something else.
  if ((status.st_mode & S_ISGID) && (status.st_mode & S_IXGRP) && status.st_gid != identity.group)
    refuse(path, std::string("is a set-group-ID program") + kWhy);
  if (identity.user != 0 && getxattr(path.c_str(), "security.capability", nullptr, 0) > 0)
    refuse(path,
           "has file capabilities, so the dynamic loader ignores LD_PRELOAD for it: run a copy "
           "without them, or run it as root");
}

// The dynamic loader itself has no interpreter, but preloads for the program that it is given.
bool is_dynamic_loader(const std::string& path) {
  std::error_code error;
  std::filesystem::path real = std::filesystem::canonical(path, error);
  return (error ? std::filesystem::path(path) : real).filename().string().starts_with("ld-linux");
}

void check_elf(const std::string& path, const ReadableFile& file, const std::string& start) {
  const auto type = static_cast<unsigned char>(start.size() > EI_CLASS ? start[EI_CLASS] : 0);
  if (type == ELFCLASS32)
    refuse(path, "is a 32-bit program; heaprake works on 64-bit x86 programs");
  Elf64_Ehdr header;
  if (start.size() < sizeof header) refuse(path, "is a damaged ELF file: it ends in its header");
  std::memcpy(&header, start.data(), sizeof header);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != EM_X86_64)
    refuse(path, "is built for another kind of machine; heaprake works on 64-bit x86 programs");
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
    refuse(path, "is an ELF file but not a program");
  if (header.e_phentsize != sizeof(Elf64_Phdr))
    refuse(path, "is a damaged ELF file: its program headers have the wrong size");

  std::vector<Elf64_Phdr> segments(header.e_phnum);
  const size_t wanted = segments.size() * sizeof(Elf64_Phdr);
  const std::string bytes = file.read(header.e_phoff, wanted);
  if (bytes.size() < wanted)
    refuse(path, "is a damaged ELF file: it ends before its program headers");
  if (wanted != 0) std::memcpy(segments.data(), bytes.data(), wanted);
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type != PT_INTERP) continue;
    std::string loader = file.read(segment.p_offset, std::min<uint64_t>(segment.p_filesz, 4096));
    loader.erase(std::min(loader.find('\0'), loader.size()));
    if (std::filesystem::path(loader).filename().string().starts_with("ld-musl"))
      refuse(path, "uses the musl C library (" + printable(loader) +
                       "); heaprake works on programs that use glibc");
    if (const char* sanitizer = sanitizer_of(file, segments))
      refuse(path, std::string("is built with ") + sanitizer +
                       ", which brings its own allocator: build it without, or run it without "
                       "heaprake");
    return;
  }
  if (is_dynamic_loader(path)) return;
  refuse(path,
         "is statically linked, so nothing can be preloaded into it: link it dynamically, or link "
         "it with libheaprake.so");
}

// The interpreter that a "#!" line names.
std::string interpreter_of(const std::string& path, const std::string& start) {
  std::string line = start.substr(2, start.find('\n') - 2);
  line.erase(0, line.find_first_not_of(" \t"));
  line.erase(std::min(line.find_first_of(std::string_view(" \t\r\0", 4)), line.size()));
  if (line.empty()) refuse(path, "has a \"#!\" line that names no interpreter");
  return line;
}

void check_chain(const std::string& path, const Identity& identity, int depth) {
  // The kernel follows five "#!" lines and no more.
  if (depth > 5) refuse(path, "is a script whose interpreters are scripts without end");
  struct stat status;
  if (stat(path.c_str(), &status) != 0) {
    const std::string why = std::strerror(errno);
    throw Failure(
        errno == ENOENT ? kExitNotFound : kExitNotExecutable,
        shell_quoted(path) + (depth == 0 ? "" : ", the interpreter of a script") + ": " + why);
  }
  const ReadableFile file(path);
  const std::string start = file.is_open() ? file.read(0, 256) : std::string();
  if (start.starts_with("#!")) {
    check_chain(interpreter_of(path, start), identity, depth + 1);
    return;
  }
  check_privileges(path, status, identity);
  // A program may be executable and yet unreadable: then nobody can tell, and it may well work.
  if (start.starts_with(ELFMAG)) check_elf(path, file, start);
}

}  // namespace

Identity Identity::current() {
  return {getuid(), getgid(), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1};
}

std::string find_program(const std::string& name) {
  const auto executable = [](const std::string& path, int* why) {
    struct stat status;
    if (stat(path.c_str(), &status) != 0) {
      *why = errno;
    } else if (S_ISDIR(status.st_mode)) {
      *why = EISDIR;
    } else if (faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) != 0) {
      *why = EACCES;
    } else {
      return true;
    }
    return false;
  };
  int why = 0;
  if (name.find('/') != std::string::npos) {
    if (executable(name, &why)) return name;
    throw Failure(why == ENOENT || why == ENOTDIR ? kExitNotFound : kExitNotExecutable,
                  "cannot run " + shell_quoted(name) + ": " + std::strerror(why));
  }
  const char* variable = std::getenv("PATH");
  std::string rest = variable ? variable : "/bin:/usr/bin";
  std::string refused;
  while (!name.empty()) {
    const size_t colon = rest.find(':');
    std::string path = rest.substr(0, colon);
    if (path.empty()) path = ".";  // as POSIX has it
    path.append("/").append(name);
    if (executable(path, &why)) return path;
    if (why == EACCES && refused.empty()) refused = path;
    if (colon == std::string::npos) break;
    rest.erase(0, colon + 1);
  }
  if (!refused.empty())
    throw Failure(kExitNotExecutable,
                  "cannot run " + shell_quoted(refused) + ": Permission denied");
  throw Failure(kExitNotFound, "there is no program " + shell_quoted(name) + " on PATH");
}

void check_program(const std::string& path, const Identity& identity) {
  check_chain(path, identity, 0);
}

bool is_shell_text(const std::string& path) {
  const ReadableFile file(path);
  if (!file.is_open()) return false;
  const std::string start = file.read(0, 256);
  return start.find('\0') == std::string::npos && !start.starts_with(ELFMAG);
}

}  // namespace heaprake::cli
