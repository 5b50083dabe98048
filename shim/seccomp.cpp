// A seccomp filter may end the process, or a thread, for a system call that the program itself
// never makes. So each filter is looked at before it is installed, and if it would do that for a
// call of ours, there are no more collections. Under a filter that was there before the program
// began there are none anyway, and looking at this one would take calls which that one may forbid.
#include "shim/seccomp.h"

#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/export.h"
#include "shim/interposed.h"
#include "shim/processes.h"

using Word = unsigned long;

HEAPRAKE_NEXT(int(int, Word, Word, Word, Word), prctl);

namespace heaprake::shim {
namespace {

struct Filter {
  bool strict;          // nothing but read, write and exit
  const void* program;  // else its struct sock_fprog
};

Filter filter_of(long number, const long* arguments) {
  const long mode = number == SYS_prctl ? arguments[1] : arguments[0];
  const bool strict = mode == (number == SYS_prctl ? SECCOMP_MODE_STRICT : SECCOMP_SET_MODE_STRICT);
  return {strict, reinterpret_cast<const void*>(arguments[2])};
}

// A filter with a listener is answered by the listener's descriptor.
bool has_failed(long number, const long* arguments, long result) {
  const bool listens = number == SYS_seccomp && arguments[0] == SECCOMP_SET_MODE_FILTER &&
                       (arguments[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
  return listens ? result < 0 : result != 0;
}

}  // namespace

bool installs_filter(long number, const long* arguments) {
  if (in_vfork_child()) return false;
  if (number == SYS_prctl) return arguments[0] == PR_SET_SECCOMP;
  return number == SYS_seccomp &&
         (arguments[0] == SECCOMP_SET_MODE_STRICT || arguments[0] == SECCOMP_SET_MODE_FILTER);
}

long install_filter(long number, const long* arguments, long (*call)(const void*),
                    const void* call_argument) {
  if (platform::has_unknown_filter()) {
    platform::prepare_for_filter();
    return call(call_argument);
  }
  const Filter filter = filter_of(number, arguments);
  const char* ended =
      filter.strict ? "all calls but four" : platform::call_that_filter_ends(filter.program);
  if (!ended) return call(call_argument);
  const bool already = collector::is_barred();
  collector::bar(ended);
  platform::prepare_for_filter();
  const long result = call(call_argument);
  if (has_failed(number, arguments, result) && !already) collector::unbar();
  return result;
}

HEAPRAKE_EXPORT int prctl(int operation, Word a, Word b, Word c, Word d) {
  const long arguments[6] = {operation, static_cast<long>(a), static_cast<long>(b),
                             static_cast<long>(c), static_cast<long>(d)};
  auto call = [](const void* given) -> long {
    const long* v = static_cast<const long*>(given);
    return heaprake_next_prctl(static_cast<int>(v[0]), v[1], v[2], v[3], v[4]);
  };
  if (!installs_filter(SYS_prctl, arguments)) return static_cast<int>(call(arguments));
  return static_cast<int>(install_filter(SYS_prctl, arguments, call, arguments));
}

}  // namespace heaprake::shim
