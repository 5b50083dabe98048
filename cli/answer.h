// What a program answers (heaprake/protocol.h), read from the socket through which it was asked. It
// may be broken, ending, or of ill will: whatever comes, the reader says so by a Failure.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string_view>

#include "heaprake/protocol.h"

namespace heaprake::cli {

// Takes the answer piece by piece; a long one is never whole in memory.
using AnswerSink = std::function<void(std::string_view piece)>;

// Reads the answer's head and, with HEAPRAKE_OK, its content to the end. Returns the status. Throws
// a Failure (kExitFailure) when it breaks off or stays away.
uint32_t read_answer(pid_t pid, int fd, const AnswerSink& sink);

// Whether the descriptor can be read, or has ended, before the time is over.
bool readable_within(int fd, std::chrono::milliseconds time);

}  // namespace heaprake::cli
