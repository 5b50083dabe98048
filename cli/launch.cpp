#include "cli/launch.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "cli/elf_check.h"
#include "cli/failure.h"
#include "cli/library_path.h"
#include "cli/option_table.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

const char kShell[] = "/bin/sh";

char* mutable_text(const std::string& text) {
  return const_cast<char*>(text.c_str());
}

}  // namespace

std::string preload_list(const std::string& library, const char* existing) {
  std::string list = library;
  std::string rest = existing ? existing : "";
  while (!rest.empty()) {
    const size_t end = rest.find_first_of(" :");
    const std::string entry = rest.substr(0, end);
    // A second copy would be a second heap beside the first: `heaprake run` inside `heaprake run`.
    const std::string file = std::filesystem::path(entry).filename().string();
    if (!entry.empty() && !file.starts_with("libheaprake.so")) list += ":" + entry;
    if (end == std::string::npos) break;
    rest.erase(0, end + 1);
  }
  return list;
}

Launch prepare_launch(const std::vector<std::string>& words,
                      const std::map<std::string, std::string>& options) {
  Launch launch;
  launch.words = words;
  launch.path = find_program(words.at(0));
  check_program(launch.path, Identity::current());
  const std::string library = library_path();
  for (char** variable = environ; *variable; ++variable) {
    const std::string_view entry(*variable);
    if (!entry.starts_with("LD_PRELOAD=") && !entry.starts_with("HEAPRAKE_OPTIONS="))
      launch.environment.emplace_back(entry);
  }
  const char* existing = std::getenv("HEAPRAKE_OPTIONS");
  const std::string merged = merge_options(existing ? existing : "", options);
  if (!merged.empty()) launch.environment.push_back("HEAPRAKE_OPTIONS=" + merged);
  launch.environment.push_back("LD_PRELOAD=" + preload_list(library, std::getenv("LD_PRELOAD")));
  return launch;
}

Exec::Exec(const Launch& launch) : launch_(launch), shell_text_(is_shell_text(launch.path)) {
  for (const std::string& word : launch.words) words_.push_back(mutable_text(word));
  words_.push_back(nullptr);
  shell_words_ = words_;
  shell_words_[0] = mutable_text(launch.path);
  shell_words_.insert(shell_words_.begin(), const_cast<char*>(kShell));
  for (const std::string& variable : launch.environment)
    environment_.push_back(mutable_text(variable));
  environment_.push_back(nullptr);
}

int Exec::operator()() const {
  execve(launch_.path.c_str(), words_.data(), environment_.data());
  if (errno == ENOEXEC && shell_text_) execve(kShell, shell_words_.data(), environment_.data());
  return errno;
}

void throw_exec_failure(const Launch& launch, int error) {
  throw Failure(error == ENOENT ? kExitNotFound : kExitNotExecutable,
                "cannot run " + shell_quoted(launch.path) + ": " + std::strerror(error));
}

}  // namespace heaprake::cli
