#include <cstdio>
#include <exception>

#include "cli/failure.h"
#include "cli/subcommand.h"

int main(int argc, char** argv) {
  try {
    return heaprake::cli::run_command(
        std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "heaprake: %s\n", error.what());
    return heaprake::cli::kExitFailure;
  }
}
