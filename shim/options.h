// HEAPRAKE_OPTIONS, read by the table include/heaprake/options.def.
#pragma once

#include <climits>
#include <cstddef>

#include "allocator/heap.h"
#include "collector/collector.h"

namespace heaprake::shim {

// Where a report goes.
struct Output {
  bool to_error = false;
  char path[PATH_MAX] = {};  // empty: not to a file; %p stands for the process id
  bool on() const { return to_error || path[0] != 0; }
  bool names_process() const;  // the path holds %p: each process has a file of its own
};

// The path with the process id in place of %p; false if it is not a file, or too long.
bool path_of(const Output& output, char (&path)[PATH_MAX]);
// Whether `heaprake hunt` has made the directory of the path, for itself alone. Once the hunt is
// over anybody may make one of that name again.
bool is_in_directory_of_hunt(const char* path);
// Says on stderr that the path cannot be written.
void tell_unwritable(const char* path);
// Opens the output: 2 for stderr, else a new descriptor; -1 if it is off or cannot be opened, which
// is told.
int open_output(const Output& output);
// A new file beside it, the path with ".1", ".2" and so on behind: the first that does not exist.
int open_numbered_output(const Output& output);
void close_output(int fd);

// The type of each kind of option, under the name that the table uses.
namespace kind {
using MODE = collector::Mode;
using STACKS = heap::Stacks;
using SIZE = size_t;
using NUMBER = unsigned;
using FLAG = bool;
using OUTPUT = Output;
}  // namespace kind

// Written once, before the heap exists; constant afterwards.
struct Settings {
#define HEAPRAKE_OPTION(type, name, standard, legal, sentence) kind::type name;
#include "heaprake/options.def"
#undef HEAPRAKE_OPTION
};

const Settings& settings();

// Fills settings() with the defaults, then with what HEAPRAKE_OPTIONS says. Complains on stderr,
// one sentence each, about options that do not exist and values that are not legal. Once.
void read_options();

// Afterwards: mode off, whatever they say.
void turn_off();

void set_defaults(Settings* into);
// The same for any text; `complain` is told each such sentence.
using Complaint = void (*)(const char* text, size_t length);
void parse_options(const char* text, Settings* into, Complaint complain);

}  // namespace heaprake::shim
