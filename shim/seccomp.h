// Seccomp filters that the program installs: see seccomp.cpp.
#pragma once

namespace heaprake::shim {

// Whether prctl's or seccomp's arguments install a filter; if so, the call is made by
// install_filter.
bool installs_filter(long number, const long* arguments);

// Makes the call, which is prctl's or seccomp's, after a look at what it installs.
long install_filter(long number, const long* arguments, long (*call)(const void*),
                    const void* call_argument);

}  // namespace heaprake::shim
