#include <algorithm>

#include "cli/subcommand.h"
#include "packaging/pages.h"

namespace heaprake::packaging {

namespace {

std::string names_of_subcommands() {
  std::string names;
  for (const cli::Subcommand* subcommand : cli::subcommands())
    names += (names.empty() ? "" : " ") + std::string(subcommand->name);
  return names;
}

std::string options_of(const cli::Subcommand& subcommand) {
  std::string options = "--help";
  for (const cli::OptionSpec& spec : subcommand.options())
    options += " --" + spec.name + (spec.takes == cli::Takes::kValue ? "=" : "");
  return options;
}

bool is_file(const cli::OptionSpec& spec) {
  return spec.placeholder.find("FILE") != std::string::npos ||
         spec.placeholder.find("PATH") != std::string::npos ||
         spec.placeholder.find("path") != std::string::npos;
}

// What may stand for the value, in the shell's words; nothing is offered for numbers and times.
std::string values_of(const cli::OptionSpec& spec) {
  if (is_file(spec)) return "-f";
  if (spec.placeholder.find('|') == std::string::npos) return "";
  std::string words = spec.placeholder;
  std::replace(words.begin(), words.end(), '|', ' ');
  return "-W '" + words + "'";
}

// A case for each option whose value is the word to complete.
std::string bash_values_of(const cli::Subcommand& subcommand) {
  std::string cases;
  for (const cli::OptionSpec& spec : subcommand.options()) {
    if (spec.takes == cli::Takes::kNothing) continue;
    // What is optional never stands in a word of its own.
    const std::string name = "--" + spec.name;
    const std::string pattern =
        spec.takes == cli::Takes::kOptional ? name + "=" : name + " | " + name + "=";
    const std::string values = values_of(spec);
    cases += "        " + pattern + ")" +
             (values.empty() ? "" : " COMPREPLY=($(compgen " + values + " -- \"$word\"));") +
             " return ;;\n";
  }
  return cases.empty() ? "" : "      case $option in\n" + cases + "      esac\n";
}

bool takes_process(const cli::Subcommand& subcommand) {
  return subcommand.usage.find("PID") != std::string_view::npos;
}

// In single quotes, for zsh: a quote, a colon and brackets mean something there.
std::string zsh_quoted(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else if (c == ':' || c == '[' || c == ']' || c == '\\') {
      out += std::string("\\") + c;
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string bash_completion() {
  std::string script = R"(# bash completion for heaprake
_heaprake() {
  local word=${COMP_WORDS[COMP_CWORD]} i
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ")" +
                       names_of_subcommands() + R"( --help --version" -- "$word"))
    return
  fi
  for ((i = 2; i < COMP_CWORD; i++)); do
    if [ "${COMP_WORDS[i]}" = -- ]; then
      declare -F _command_offset >/dev/null && _command_offset $((i + 1))
      return
    fi
  done
  # --name=value is three words, or two as long as there is no value. With "=" at its end: such a one.
  local option=${COMP_WORDS[COMP_CWORD-1]}
  if [ "$option" = = ]; then
    option=${COMP_WORDS[COMP_CWORD-2]}=
  elif [ "$word" = = ]; then
    option+==
    word=
  fi
  case ${COMP_WORDS[1]} in
)";
  for (const cli::Subcommand* subcommand : cli::subcommands()) {
    script += "    " + std::string(subcommand->name) + ")\n" + bash_values_of(*subcommand);
    script += "      if [[ $word == -* ]]; then\n        compopt -o nospace\n";
    script += "        COMPREPLY=($(compgen -W \"" + options_of(*subcommand) +
              "\" -- \"$word\"))\n      else\n";
    script += takes_process(*subcommand)
                  ? "        COMPREPLY=($(compgen -f -- \"$word\") $(compgen -W \"$(heaprake ps "
                    "2>/dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }')\" -- \"$word\"))\n"
                  : "        COMPREPLY=($(compgen -c -f -- \"$word\"))\n";
    script += "      fi\n      ;;\n";
  }
  return script + "  esac\n}\ncomplete -F _heaprake heaprake\n";
}

std::string zsh_completion() {
  std::string script =
      "#compdef heaprake\n_heaprake() {\n  local -a subcommands\n  subcommands=(\n";
  for (const cli::Subcommand* subcommand : cli::subcommands()) {
    script += "    '" + std::string(subcommand->name) + ":" +
              zsh_quoted(std::string(subcommand->summary)) + "'\n";
  }
  script +=
      "  )\n  if (( CURRENT == 2 )); then\n    _describe subcommand subcommands\n    return\n"
      "  fi\n  case $words[2] in\n";
  for (const cli::Subcommand* subcommand : cli::subcommands()) {
    script += "    " + std::string(subcommand->name) + ")\n      _arguments \\\n";
    for (const cli::OptionSpec& spec : subcommand->options()) {
      const char* value = spec.takes == cli::Takes::kNothing ? ""
                          : spec.takes == cli::Takes::kValue ? "="
                                                             : "=-";
      script +=
          "        '--" + spec.name + value + "[" + zsh_quoted(spec.sentence) + "]" +
          (spec.takes == cli::Takes::kNothing ? ""
                                              : ":" + zsh_quoted(spec.placeholder) + ":_files") +
          "' \\\n";
    }
    script += takes_process(*subcommand) ? "        '*:process or file:{ _pids; _files }'\n"
                                         : "        '*::program:_normal'\n";
    script += "      ;;\n";
  }
  return script + "  esac\n}\n_heaprake \"$@\"\n";
}

}  // namespace heaprake::packaging
