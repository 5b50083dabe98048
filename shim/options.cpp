#include "shim/options.h"

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "heaprake/snapshot.h"
#include "platform/platform.h"
#include "shim/environment.h"
#include "shim/line.h"

namespace heaprake::shim {
namespace {

// A piece of the text that is being read; not terminated.
struct Piece {
  const char* start;
  size_t length;
  bool is(const char* text) const {
    return std::strlen(text) == length && std::memcmp(start, text, length) == 0;
  }
};

// Decimal digits only; false when there is none, something else, or too much for 64 bits.
bool parse_digits(Piece piece, uint64_t* number) {
  if (piece.length == 0) return false;
  *number = 0;
  for (size_t i = 0; i < piece.length; ++i) {
    unsigned digit = static_cast<unsigned char>(piece.start[i]) - unsigned{'0'};
    if (digit > 9 || __builtin_mul_overflow(*number, 10, number) ||
        __builtin_add_overflow(*number, digit, number)) {
      return false;
    }
  }
  return true;
}

// Whether the table's words for a range ("0 to 64") or a list ("1, 4 or 8") admit the number.
bool admits(const char* legal, uint64_t number) {
  bool range = std::strstr(legal, " to ") != nullptr;
  uint64_t lowest = 0;
  size_t seen = 0;
  while (*legal) {
    size_t digits = std::strspn(legal, "0123456789");
    uint64_t value;
    if (digits && parse_digits({legal, digits}, &value)) {
      if (!range && value == number) return true;
      if (range && seen == 0) lowest = value;
      if (range && seen == 1) return lowest <= number && number <= value;
      ++seen;
    }
    legal += digits ? digits : 1;
  }
  return false;
}

bool parse(Piece piece, const char*, collector::Mode* mode) {
  using collector::Mode;
  if (piece.is("collect")) return *mode = Mode::kCollect, true;
  if (piece.is("hunt")) return *mode = Mode::kHunt, true;
  if (piece.is("oracle")) return *mode = Mode::kOracle, true;
  if (piece.is("off")) return *mode = Mode::kOff, true;
  return false;
}

bool parse(Piece piece, const char*, heap::Stacks* stacks) {
  using heap::Stacks;
  if (piece.is("full")) return *stacks = Stacks::kFull, true;
  if (piece.is("adaptive")) return *stacks = Stacks::kAdaptive, true;
  if (piece.is("off")) return *stacks = Stacks::kOff, true;
  return false;
}

bool parse(Piece piece, const char*, size_t* bytes) {
  unsigned shift = 0;
  if (piece.length) {
    switch (piece.start[piece.length - 1] | 0x20) {
      case 'k':
        shift = 10;
        break;
      case 'm':
        shift = 20;
        break;
      case 'g':
        shift = 30;
        break;
    }
  }
  if (shift) --piece.length;
  uint64_t number;
  if (!parse_digits(piece, &number) || number > SIZE_MAX >> shift) return false;
  *bytes = number << shift;
  return true;
}

bool parse(Piece piece, const char* legal, unsigned* number) {
  uint64_t value;
  if (!parse_digits(piece, &value) || !admits(legal, value)) return false;
  *number = static_cast<unsigned>(value);
  return true;
}

bool parse(Piece piece, const char*, bool* flag) {
  if (!piece.is("0") && !piece.is("1")) return false;
  *flag = piece.is("1");
  return true;
}

bool parse(Piece piece, const char* legal, Output* output) {
  bool to_error = piece.is("1");
  if (to_error && !admits(legal, 1)) return false;
  if (piece.length == 0 || piece.length >= sizeof output->path) return false;
  output->to_error = to_error;
  size_t length = to_error || piece.is("0") ? 0 : piece.length;
  std::memcpy(output->path, piece.start, length);
  output->path[length] = 0;
  return true;
}

struct Row {
  const char* name;
  const char* standard;
  const char* legal;
  bool (*set)(Piece value, const char* legal, Settings* into);
};

constexpr Row kRows[] = {
#define HEAPRAKE_OPTION(type, option, standard, legal_values, sentence) \
  {#option, standard, legal_values,                                     \
   [](Piece value, const char* legal, Settings* s) { return parse(value, legal, &s->option); }},
#include "heaprake/options.def"
#undef HEAPRAKE_OPTION
};

void complain_of_name(Piece name, Complaint complain) {
  Line line;
  line << "heaprake: HEAPRAKE_OPTIONS: there is no option \"";
  line.append(name.start, name.length) << "\"; the options are";
  const char* separator = " ";
  for (const Row& row : kRows) {
    line << separator << row.name;
    separator = ", ";
  }
  line << ".\n";
  complain(line.text(), line.length());
}

bool set_to_default(const Row& row, Settings* into) {
  return row.set({row.standard, std::strlen(row.standard)}, row.legal, into);
}

void complain_of_value(const Row& row, Piece value, Complaint complain) {
  Line line;
  line << "heaprake: HEAPRAKE_OPTIONS: " << row.name << "=";
  line.append(value.start, value.length) << " is ignored: " << row.name << " takes " << row.legal;
  line << "; the default, " << row.standard << ", is used.\n";
  complain(line.text(), line.length());
}

// Takes one `key=value` off the front of the text, as LeakSanitizer's parser does: a value in
// single or double quotes may hold colons.
const char* take_option(const char* text, Piece* name, Piece* value) {
  *name = {text, std::strcspn(text, "=:")};
  text += name->length;
  if (*text == '=') ++text;
  if (*text == '\'' || *text == '"') {
    const char* end = std::strchr(text + 1, *text);
    if (end) {
      *value = {text + 1, static_cast<size_t>(end - text - 1)};
      return end + 1;
    }
  }
  *value = {text, std::strcspn(text, ":")};
  return text + value->length;
}

// Constant-initialised: options may be read by a malloc that comes before our constructors.
constinit Settings current = {};

}  // namespace

void set_defaults(Settings* into) {
  for (const Row& row : kRows) set_to_default(row, into);
}

void parse_options(const char* text, Settings* into, Complaint complain) {
  while (*text) {
    if (*text == ':') {
      ++text;
      continue;
    }
    Piece name, value;
    text = take_option(text, &name, &value);
    const Row* found = nullptr;
    for (const Row& row : kRows) {
      if (name.is(row.name)) found = &row;
    }
    if (!found) {
      complain_of_name(name, complain);
    } else if (!found->set(value, found->legal, into)) {
      set_to_default(*found, into);
      complain_of_value(*found, value, complain);
    }
  }
}

void read_options() {
  set_defaults(&current);
  if (runs_with_raised_privileges()) return;
  const char* text = environment_variable("HEAPRAKE_OPTIONS");
  if (text) parse_options(text, &current, platform::write_error);
}

void turn_off() {
  current.mode = collector::Mode::kOff;
}

const Settings& settings() {
  return current;
}

bool Output::names_process() const {
  return std::strstr(path, "%p") != nullptr;
}

namespace {

// Puts the process id in the place of each %p. false if the result is too long for a path.
bool expand_process_id(const char* pattern, char (&path)[PATH_MAX]) {
  Line id;
  id << static_cast<uint64_t>(platform::process_id());
  size_t length = 0;
  for (const char* c = pattern; *c; ++c) {
    bool process = c[0] == '%' && c[1] == 'p';
    const char* piece = process ? id.text() : c;
    size_t added = process ? id.length() : 1;
    if (length + added >= sizeof path) return false;
    std::memcpy(path + length, piece, added);
    length += added;
    c += process;
  }
  path[length] = 0;
  return true;
}

}  // namespace

bool path_of(const Output& output, char (&path)[PATH_MAX]) {
  return !output.to_error && output.on() && expand_process_id(output.path, path);
}

bool is_in_directory_of_hunt(const char* path) {
  return std::strstr(path, "/" HEAPRAKE_HUNT_DIRECTORY "-") != nullptr;
}

void tell_unwritable(const char* path) {
  Line line;
  line << "heaprake: cannot write " << path << ".\n";
  line.to_error();
}

int open_output(const Output& output) {
  if (output.to_error) return 2;
  if (!output.on()) return -1;
  char path[PATH_MAX];
  const bool expanded = expand_process_id(output.path, path);
  int fd = expanded ? platform::open_for_writing(path) : -1;
  if (fd < 0) tell_unwritable(expanded ? path : output.path);
  return fd;
}

namespace {

int open_new(const char* path, bool* exists) {
  if (!is_in_directory_of_hunt(path)) return platform::open_new_for_writing(path, exists);
  int error = 0;
  const int fd = platform::open_in_own_directory(path, true, &error);
  *exists = error == EEXIST;
  return fd;
}

}  // namespace

int open_numbered_output(const Output& output) {
  constexpr uint64_t kMost = 100'000;
  for (uint64_t number = 1; number <= kMost; ++number) {
    char path[PATH_MAX];
    Line suffix;
    suffix << "." << number;
    if (!expand_process_id(output.path, path)) return -1;
    const size_t length = std::strlen(path);
    if (length + suffix.length() >= sizeof path) return -1;
    std::memcpy(path + length, suffix.text(), suffix.length());
    path[length + suffix.length()] = 0;
    bool exists = false;
    const int fd = open_new(path, &exists);
    if (fd >= 0 || !exists) return fd;
  }
  return -1;
}

void close_output(int fd) {
  if (fd > 2) platform::close_file(fd);
}

}  // namespace heaprake::shim
