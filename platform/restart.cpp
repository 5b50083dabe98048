// Hiding an interruption that our signal caused. A handler installed with SA_RESTART makes most
// calls continue by themselves, but some return EINTR all the same. Where the call can simply be
// made again with nothing lost, the interrupted context is moved back onto its system call
// instruction. Calls with a relative time limit are left alone: repeated, they could last for ever.
#include <linux/futex.h>
#include <signal.h>
#include <time.h>
#include <ucontext.h>

#include "platform/platform.h"
#include "platform/sigaction.h"
#include "platform/stop_state.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

constexpr greg_t kInterrupted = -4;

// The number of the call that the instruction before `ip` made, if it reads `mov $number, %eax;
// syscall`, as libc's do: the frame no longer has it. -1 otherwise.
long call_number_before(uintptr_t ip) {
  constexpr size_t kLength = 7;
  if (ip % kPageSize < kLength) return -1;  // the page before may not be readable
  const auto* code = reinterpret_cast<const unsigned char*>(ip - kLength);
  if (code[0] != 0xb8 || code[5] != 0x0f || code[6] != 0x05) return -1;
  uint32_t number;
  __builtin_memcpy(&number, code + 1, sizeof number);
  return number;
}

bool may_repeat_futex(const greg_t* registers) {
  const long command = registers[REG_RSI] & FUTEX_CMD_MASK;
  if (command == FUTEX_WAIT_BITSET) return true;  // its limit is a point in time
  return command == FUTEX_WAIT && registers[REG_R10] == 0;
}

bool may_repeat(long number, const greg_t* registers) {
  switch (number) {
    case SYS_pause:
    case SYS_rt_sigsuspend:
    case SYS_semop:
    case SYS_msgsnd:
    case SYS_msgrcv:
    // The kernel has written the time that is left back to where it read it.
    case SYS_select:
    case SYS_pselect6:
    case SYS_ppoll:
      return true;
    case SYS_poll:
      return static_cast<int>(registers[REG_RDX]) < 0;
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
      return static_cast<int>(registers[REG_R10]) < 0;
    case SYS_rt_sigtimedwait:
      return registers[REG_RDX] == 0;
    case SYS_semtimedop:
      return registers[REG_R10] == 0;
    case SYS_clock_nanosleep:
      return (registers[REG_RSI] & TIMER_ABSTIME) != 0;
    case SYS_futex:
      return may_repeat_futex(registers);
    default:
      return false;
  }
}

// Whether the context is one in which the kernel, or we, have put a call that had begun back to its
// start: entering the kernel leaves the next instruction's address in RCX, which nothing else does.
bool is_restarting(const greg_t* registers) {
  const auto ip = static_cast<uintptr_t>(registers[REG_RIP]);
  if (static_cast<uintptr_t>(registers[REG_RCX]) != ip + 2) return false;
  const auto* code = reinterpret_cast<const unsigned char*>(ip);
  return code[0] == 0x0f && code[1] == 0x05;
}

bool restarts_calls(int signal) {
  KernelSigaction action{};
  return get_action(signal, &action) && (action.flags & SA_RESTART) != 0;
}

}  // namespace

bool repeat_interrupted_call(void* ucontext) {
  greg_t* registers = static_cast<ucontext_t*>(ucontext)->uc_mcontext.gregs;
  if (registers[REG_RAX] != kInterrupted) return false;
  const auto ip = static_cast<uintptr_t>(registers[REG_RIP]);
  const long number = call_number_before(ip);
  if (number < 0 || !may_repeat(number, registers)) return false;
  registers[REG_RAX] = number;
  registers[REG_RIP] -= 2;
  return true;
}

void note_restart(ThreadRecord* record, const void* ucontext, bool repeated) {
  const greg_t* registers = static_cast<const ucontext_t*>(ucontext)->uc_mcontext.gregs;
  record->restart_at = is_restarting(registers) ? static_cast<uintptr_t>(registers[REG_RIP]) : 0;
  record->restart_always = repeated;
}

void let_handler_interrupt(int signal, void* ucontext) {
  greg_t* registers = static_cast<ucontext_t*>(ucontext)->uc_mcontext.gregs;
  if (!is_restarting(registers)) return;
  ThreadRecord* record = find_record(thread_id());
  if (record == nullptr) return;
  const bool ours = record->restart_at == static_cast<uintptr_t>(registers[REG_RIP]);
  record->restart_at = 0;
  if (!ours || (!record->restart_always && restarts_calls(signal))) return;
  registers[REG_RAX] = kInterrupted;
  registers[REG_RIP] += 2;
}

}  // namespace heaprake::platform
