// Writing and reading by descriptor, and files named by the program or its user: a part of the
// contract (platform.h), under the same terms.
#pragma once

#include <climits>
#include <cstddef>

namespace heaprake::platform {

// Writes all of it to stderr (or the descriptor); never through stdio. Ignores errors.
void write_error(const char* text, size_t length);
// false: not all of it could be written.
bool write_all(int fd, const void* data, size_t length);
// With a single write, unless that would have to wait: how much of it was written.
size_t write_once(int fd, const void* data, size_t length);
// Whole-buffer read; false on end, error or time-out.
bool read_all(int fd, void* data, size_t length);
// open(O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC) and close, raw. -1 on failure. Never waits, and makes no
// terminal the program's: a pipe that nobody reads cannot be opened. What the path reaches through
// an open descriptor (/dev/stdout) is not truncated: the next bytes follow what is there.
int open_for_writing(const char* path);
// The same for a file that must not exist yet; otherwise -1 and *exists.
int open_new_for_writing(const char* path, bool* exists);
// The same for a file, not what a link refers to, in a directory in which nobody but the program's
// first user and root can write; otherwise -1. *error is as errno has it: ENOENT also where the
// directory is somebody else's. With `fresh` the file must not exist yet.
int open_in_own_directory(const char* path, bool fresh, int* error);
// Why write_all gives false, the error's number as errno has it. Tries it again: 0 if a byte could
// be written now. With SIGXFSZ blocked, which is taken off this thread again: no program shall die
// of our files.
int why_not_written(int fd);
// A symbolic link that refers to `text`: a note that takes neither a descriptor nor room for
// content.
void leave_note(const char* path, const char* text);
// A filter of the program's would end it for leave_note or why_not_written: neither does anything
// any more.
void forbid_notes();
int open_for_reading(const char* path);
// How many bytes came; 0 at the end or on an error.
size_t read_some(int fd, void* data, size_t length);
// Opens, appends and closes. false: not all of it could be written; then a regular file is as it
// was before, unless others have appended meanwhile: none of its lines stays a half.
bool append_to_file(const char* path, const void* data, size_t length);
// A file for the next version of `path`, with its permissions, empty and nobody else's until it is
// closed: before that the caller renames it to `path`, or removes it. -1 on failure. It is found by
// its lock: what a process that was killed has left is used again.
int open_beside(const char* path, char (&name)[PATH_MAX]);
bool rename_file(const char* from, const char* to);
void remove_file(const char* path);
// Whether there may be a regular file or nothing at `path`, so that a new version takes its place
// by rename_file; a link's path becomes that of what it refers to. false: a device, a pipe, a link
// to nothing, an open descriptor (/dev/stdout), which can only be written as it is.
bool is_replaceable(char (&path)[PATH_MAX]);
void close_file(int fd);

}  // namespace heaprake::platform
