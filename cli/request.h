// Asking a running program (heaprake/protocol.h).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "cli/answer.h"

namespace heaprake::cli {

// Asks and waits for the answer. Checks the process first, since our signal would kill one that is
// not prepared; asks again when it is busy. Throws a Failure (kExitFailure), one sentence, when
// there is no answer or the process says no.
void request(pid_t pid, heaprake_request_kind kind, const AnswerSink& sink, uint32_t flags = 0);

// The same for an answer of fixed size or known to be small.
std::string request(pid_t pid, heaprake_request_kind kind, uint32_t flags = 0);

}  // namespace heaprake::cli
