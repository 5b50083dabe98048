// The environment of the process, readable before libc has set `environ`.
#pragma once

namespace heaprake::shim {

// The value of the variable, nullptr if it is not set. Any time.
const char* environment_variable(const char* name);

// True for a setuid or setgid program and its like: it must not obey who started it.
bool runs_with_raised_privileges();

}  // namespace heaprake::shim
