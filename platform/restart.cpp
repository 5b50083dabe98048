// Hiding an interruption that our signal caused. A handler installed with SA_RESTART makes most
// calls continue by themselves, but some return EINTR all the same. Where the call can simply be
// made again with nothing lost, the interrupted context is moved back onto its system call
// instruction. Calls with a relative time limit are left alone: repeated, they could last for ever.
// A socket's time-outs are no argument: stdio's reads and writes, which no wrapper sees, have them
// too. What is left of such a wait is spent here, in the handler, and then the call is made again.
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

#include "platform/platform.h"
#include "platform/sigaction.h"
#include "platform/stop_state.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

constexpr greg_t kInterrupted = -4, kTryAgain = -11;

// The number of the call that the instruction before `ip` made, if it reads `mov $number, %eax;
// syscall`, as libc's do, or `xor %eax, %eax; syscall`: the frame no longer has it. -1 otherwise.
long call_number_before(uintptr_t ip) {
  constexpr size_t kLength = 7;
  if (ip % kPageSize < kLength) return -1;  // the page before may not be readable
  const auto* code = reinterpret_cast<const unsigned char*>(ip - kLength);
  constexpr unsigned char kRead[] = {0x31, 0xc0, 0x0f, 0x05};
  if (__builtin_memcmp(code + kLength - sizeof kRead, kRead, sizeof kRead) == 0) return SYS_read;
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

// SO_RCVTIMEO or SO_SNDTIMEO, if the call is one that they limit; else -1.
int time_out_of(long number) {
  switch (number) {
    case SYS_read:
    case SYS_readv:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_accept:
    case SYS_accept4:
      return SO_RCVTIMEO;
    case SYS_write:
    case SYS_writev:
    case SYS_sendto:
    case SYS_sendmsg:
      return SO_SNDTIMEO;
    default:
      return -1;
  }
}

// 0: none, or not a socket.
uint64_t socket_time_out(int fd, int option) {
  // Then the call ends early, as it would natively for any other signal.
  if (questions_to_sockets_are_forbidden()) return 0;
  timeval given{};
  unsigned length = sizeof given;
  if (sys::failed(sys::call(SYS_getsockopt, fd, SOL_SOCKET, option, &given, &length))) return 0;
  return static_cast<uint64_t>(given.tv_sec) * 1000000000 +
         static_cast<uint64_t>(given.tv_usec) * 1000;
}

// Waits as the call did, until something happens that ends it: true if it may be made again. When
// the wait began nobody knows, so that the time-out counts from now. The program's signals are
// handled meanwhile, and the world may stop.
bool wait_for_socket(ThreadRecord* record, greg_t* registers, const sigset_t* mask, int option) {
  constexpr uint64_t kSecond = 1000000000;
  const int fd = static_cast<int>(registers[REG_RDI]);
  const uint64_t time_out = socket_time_out(fd, option);
  if (time_out == 0) return false;
  const uint64_t end = monotonic_ns() + time_out;
  const uint32_t events = record->events.exchange(0, std::memory_order_relaxed);
  long ready = 0;
  for (uint64_t now; (now = monotonic_ns()) < end;) {
    pollfd wait{fd, static_cast<short>(option == SO_RCVTIMEO ? POLLIN : POLLOUT), 0};
    timespec left{static_cast<time_t>((end - now) / kSecond),
                  static_cast<long>((end - now) % kSecond)};
    ready = sys::call(SYS_ppoll, &wait, 1, &left, mask, sizeof(uint64_t));
    const bool by_program = record->events.load(std::memory_order_relaxed) & kInterruptedByProgram;
    if (ready != kInterrupted || by_program) break;
    ready = 0;  // so far
  }
  record->events.fetch_or(events, std::memory_order_relaxed);
  if (ready == 0) registers[REG_RAX] = kTryAgain;
  return ready > 0;
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

bool repeat_interrupted_call(ThreadRecord* record, void* ucontext) {
  auto* context = static_cast<ucontext_t*>(ucontext);
  greg_t* registers = context->uc_mcontext.gregs;
  if (registers[REG_RAX] != kInterrupted) return false;
  const auto ip = static_cast<uintptr_t>(registers[REG_RIP]);
  const long number = call_number_before(ip);
  if (number < 0) return false;
  if (!may_repeat(number, registers)) {
    const int option = time_out_of(number);
    if (option < 0 || !wait_for_socket(record, registers, &context->uc_sigmask, option)) {
      return registers[REG_RAX] != kInterrupted;
    }
  }
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
