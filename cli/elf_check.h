// Can LD_PRELOAD reach this program? Asked before it starts, because the dynamic loader only
// shrugs.
#pragma once

#include <sys/types.h>

#include <string>

namespace heaprake::cli {

// Whose identity decides whether a set-user-ID program changes it.
struct Identity {
  uid_t user;
  gid_t group;
  bool no_new_privileges = false;  // then the kernel ignores set-id bits and capabilities
  static Identity current();
};

// Finds the program as a shell does: along PATH, unless its name has a slash. Throws a Failure,
// kExitNotFound when there is none, kExitNotExecutable when there is one that may not be run.
std::string find_program(const std::string& name);

// Throws a Failure (kExitNotExecutable; kExitNotFound for a missing interpreter) with one sentence
// if the program at `path` cannot be run under heaprake: it is statically linked, set-id, has file
// capabilities, is built for another machine, another word size or another libc, or with a
// sanitizer that brings its own allocator. A script is judged by its interpreter.
void check_program(const std::string& path, const Identity& identity);

// Whether the file is a text that a shell would read as its own script for want of a "#!" line.
bool is_shell_text(const std::string& path);

}  // namespace heaprake::cli
