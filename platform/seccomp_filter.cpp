// What a seccomp filter would do to the system calls that a collection makes: the filter is a small
// program (seccomp(2), classic BPF), which is run here for each of them before the kernel gets it.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "platform/advice.h"
#include "platform/deferred_signals.h"
#include "platform/locked_memory.h"
#include "platform/platform.h"
#include "platform/stop_signal.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

// The calls as they are made; arguments that are addresses or descriptors are any.
struct Call {
  const char* name;
  int number;
  uint64_t arguments[6];
};
constexpr uint64_t kAny = 4096;
constexpr uint64_t kHelper = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                             CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
constexpr uint64_t kReadWrite = PROT_READ | PROT_WRITE;
constexpr Call kCalls[] = {
    {"getpid", SYS_getpid, {}},
    {"gettid", SYS_gettid, {}},
    {"prlimit64", SYS_prlimit64, {0, 9, 0, kAny}},  // RLIMIT_AS
    {"clock_gettime", SYS_clock_gettime, {1, kAny}},
    {"openat", SYS_openat, {0xffffff9c, kAny, 0x80000}},
    {"readlinkat", SYS_readlinkat, {0xffffff9c, kAny, kAny, kAny}},
    {"close", SYS_close, {3}},
    {"read", SYS_read, {3, kAny, kAny}},
    {"pread64", SYS_pread64, {3, kAny, kAny, kAny}},
    {"lseek", SYS_lseek, {3, 0, 0}},
    {"fstat", SYS_fstat, {3, kAny}},
    {"getdents64", SYS_getdents64, {3, kAny, kAny}},
    {"ioctl", SYS_ioctl, {3, 0xc0606610, kAny}},
    {"mincore", SYS_mincore, {kAny, kAny, kAny}},
    {"sysinfo", SYS_sysinfo, {kAny}},
    {"process_vm_readv", SYS_process_vm_readv, {kAny, kAny, 1, kAny, 1, 0}},
    {"mmap", SYS_mmap, {0, kAny, kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS, UINT32_MAX, 0}},
    {"mmap", SYS_mmap, {0, kAny, 0, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, UINT32_MAX, 0}},
    {"mprotect", SYS_mprotect, {kAny, kAny, kReadWrite}},
    {"mprotect", SYS_mprotect, {kAny, kAny, PROT_READ}},
    {"mprotect", SYS_mprotect, {kAny, kAny, PROT_WRITE}},
    {"munmap", SYS_munmap, {kAny, kAny}},
    {"madvise", SYS_madvise, {kAny, kAny, MADV_DONTNEED}},
    {"futex", SYS_futex, {kAny, FUTEX_WAIT_PRIVATE, 1, 0}},
    {"futex", SYS_futex, {kAny, FUTEX_WAIT, 1, 0}},
    {"futex", SYS_futex, {kAny, FUTEX_WAKE_PRIVATE, 1, 0}},
    {"membarrier", SYS_membarrier, {MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0}},
    {"rt_sigaction", SYS_rt_sigaction, {33, kAny, kAny, 8}},
    {"rt_sigprocmask", SYS_rt_sigprocmask, {0, kAny, kAny, 8}},
    {"rt_tgsigqueueinfo", SYS_rt_tgsigqueueinfo, {kAny, kAny, 33, kAny}},
    {"rt_sigreturn", SYS_rt_sigreturn, {}},
    {"tgkill", SYS_tgkill, {kAny, kAny, 0}},
    {"sigaltstack", SYS_sigaltstack, {0, kAny}},
    {"arch_prctl", SYS_arch_prctl, {0x1003, kAny}},
    {"arch_prctl", SYS_arch_prctl, {0x1004, kAny}},
    {"sched_yield", SYS_sched_yield, {}},
    {"sched_getaffinity", SYS_sched_getaffinity, {0, kAny, kAny}},
    {"clone", SYS_clone, {kHelper, kAny, kAny, kAny, 0}},
    {"exit", SYS_exit, {0}},
};

// Those that make a copy of the process, and do not matter otherwise (process_copy.cpp).
constexpr Call kCopyCalls[] = {
    {"clone", SYS_clone, {0, 0, 0, 0, 0}},
    {"wait4", SYS_wait4, {kAny, 0, 0x80000001, 0}},
    {"mmap", SYS_mmap, {0, kPageSize, kReadWrite, MAP_SHARED | MAP_ANONYMOUS, UINT32_MAX, 0}},
};

// That tell what a message is sent through (descriptor.cpp), and wait in a socket's place
// (restart.cpp).
constexpr Call kSocketCalls[] = {
    {"getsockopt", SYS_getsockopt, {3, SOL_SOCKET, SO_DOMAIN, kAny, kAny}},
    {"getsockopt", SYS_getsockopt, {3, SOL_SOCKET, SO_RCVTIMEO, kAny, kAny}},
    {"getsockopt", SYS_getsockopt, {3, SOL_SOCKET, SO_SNDTIMEO, kAny, kAny}},
    {"ppoll", SYS_ppoll, {kAny, 1, kAny, kAny, 8}},
};

// That tells how much a file holds (shared_file.cpp).
constexpr Call kFileCalls[] = {{"statx", SYS_statx, {0xffffff9c, kAny, 0x4000, 0x701, kAny}}};

// Those that leave a note, and find out what to write there (files.cpp).
constexpr Call kNoteCalls[] = {
    {"symlinkat", SYS_symlinkat, {kAny, 0xffffff9c, kAny}},
    {"rt_sigtimedwait", SYS_rt_sigtimedwait, {kAny, 0, kAny, 8}},
};

// Those that answer a command (command_socket.cpp).
constexpr Call kRequestCalls[] = {
    {"socket", SYS_socket, {AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0}},
    {"setsockopt", SYS_setsockopt, {3, SOL_SOCKET, SO_RCVTIMEO, kAny, 16}},
    {"setsockopt", SYS_setsockopt, {3, SOL_SOCKET, SO_SNDTIMEO, kAny, 16}},
    {"connect", SYS_connect, {3, kAny, kAny}},
    {"getsockopt", SYS_getsockopt, {3, SOL_SOCKET, SO_PEERCRED, kAny, kAny}},
    {"geteuid", SYS_geteuid, {}},
    {"write", SYS_write, {3, kAny, kAny}},
};

// That sends the stop signal when the program has used up its queue (stop_signal.cpp).
constexpr Call kUndirectedCalls[] = {{"kill", SYS_kill, {kAny, 33}}};

// Those that advise (advice.cpp), and look how long a huge page took (huge_growth.cpp).
constexpr Call kAdviceCalls[] = {
    {"clock_gettime", SYS_clock_gettime, {1, kAny}},
    {"clock_gettime", SYS_clock_gettime, {3, kAny}},
    {"madvise", SYS_madvise, {kAny, kAny, MADV_DONTDUMP}},
    {"madvise", SYS_madvise, {kAny, kAny, MADV_DODUMP}},
    {"madvise", SYS_madvise, {kAny, kAny, MADV_HUGEPAGE}},
    {"madvise", SYS_madvise, {kAny, kAny, MADV_NOHUGEPAGE}},
    {"madvise", SYS_madvise, {kAny, kAny, 25}},  // MADV_COLLAPSE
};

// That send a signal of the program's again; they must not fail either (deferred_signals.cpp).
constexpr Call kDeferringCalls[] = {
    {"rt_sigaction", SYS_rt_sigaction, {14, 0, kAny, 8}},
    {"rt_sigprocmask", SYS_rt_sigprocmask, {2, kAny, kAny, 8}},
    {"rt_sigpending", SYS_rt_sigpending, {kAny, 8}},
    {"sigaltstack", SYS_sigaltstack, {kAny, kAny}},
    {"sigaltstack", SYS_sigaltstack, {kAny, 0}},
    {"rt_tgsigqueueinfo", SYS_rt_tgsigqueueinfo, {kAny, kAny, 14, kAny}},
};

// Those that lock what the program wants locked (locked_memory.cpp).
constexpr Call kLockCalls[] = {
    {"mlock2", SYS_mlock2, {kAny, kAny, 1}},
    {"munlock", SYS_munlock, {kAny, kAny}},
};

// Runs a filter that the kernel has accepted, or will refuse: then the answer does not matter, but
// nothing here may go wrong.
class Filter {
 public:
  Filter(const sock_filter* code, size_t length) : code_(code), length_(length) {}

  uint32_t run(const seccomp_data& data) {
    a_ = x_ = 0;
    for (size_t at = 0; at < length_; ++at) {
      const sock_filter& step = code_[at];
      const uint32_t operand = BPF_SRC(step.code) == BPF_X ? x_ : step.k;
      switch (BPF_CLASS(step.code)) {
        case BPF_LD:
          a_ = load(step, data);
          break;
        case BPF_LDX:
          x_ = load(step, data);
          break;
        case BPF_ST:
          memory_[step.k % BPF_MEMWORDS] = a_;
          break;
        case BPF_STX:
          memory_[step.k % BPF_MEMWORDS] = x_;
          break;
        case BPF_ALU:
          a_ = compute(BPF_OP(step.code), operand);
          break;
        case BPF_JMP:
          at += jump(step, operand);
          break;
        case BPF_RET:
          return BPF_RVAL(step.code) == BPF_A ? a_ : step.k;
        default:
          if (BPF_MISCOP(step.code) == BPF_TAX) x_ = a_;
          if (BPF_MISCOP(step.code) == BPF_TXA) a_ = x_;
      }
    }
    return SECCOMP_RET_ALLOW;
  }

 private:
  uint32_t load(const sock_filter& step, const seccomp_data& data) const {
    switch (BPF_MODE(step.code)) {
      case BPF_ABS: {
        uint32_t word = 0;
        if (step.k <= sizeof data - sizeof word)
          __builtin_memcpy(&word, reinterpret_cast<const char*>(&data) + step.k, sizeof word);
        return word;
      }
      case BPF_LEN:
        return sizeof data;
      case BPF_MEM:
        return memory_[step.k % BPF_MEMWORDS];
      default:
        return step.k;
    }
  }

  uint32_t compute(unsigned operation, uint32_t operand) const {
    switch (operation) {
      case BPF_ADD:
        return a_ + operand;
      case BPF_SUB:
        return a_ - operand;
      case BPF_MUL:
        return a_ * operand;
      case BPF_DIV:
        return operand == 0 ? 0 : a_ / operand;
      case BPF_MOD:
        return operand == 0 ? 0 : a_ % operand;
      case BPF_AND:
        return a_ & operand;
      case BPF_OR:
        return a_ | operand;
      case BPF_XOR:
        return a_ ^ operand;
      case BPF_LSH:
        return operand < 32 ? a_ << operand : 0;
      case BPF_RSH:
        return operand < 32 ? a_ >> operand : 0;
      default:
        return 0 - a_;
    }
  }

  uint32_t jump(const sock_filter& step, uint32_t operand) const {
    bool taken;
    switch (BPF_OP(step.code)) {
      case BPF_JEQ:
        taken = a_ == operand;
        break;
      case BPF_JGT:
        taken = a_ > operand;
        break;
      case BPF_JGE:
        taken = a_ >= operand;
        break;
      case BPF_JSET:
        taken = (a_ & operand) != 0;
        break;
      default:
        return step.k;
    }
    return taken ? step.jt : step.jf;
  }

  const sock_filter* code_;
  size_t length_;
  uint32_t a_ = 0, x_ = 0;
  uint32_t memory_[BPF_MEMWORDS] = {};
};

bool is_survived(uint32_t verdict) {
  switch (verdict & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_ERRNO:
      return true;
    default:
      return false;
  }
}

bool is_allowed(uint32_t verdict) {
  const uint32_t action = verdict & SECCOMP_RET_ACTION_FULL;
  return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

// The name of the first call whose verdict is not good, nullptr if there is none.
template <size_t kCount>
const char* first_call_ended(Filter filter, const Call (&calls)[kCount],
                             bool (*is_good)(uint32_t) = is_survived) {
  for (const Call& call : calls) {
    seccomp_data data{};
    data.nr = call.number;
    data.arch = AUDIT_ARCH_X86_64;
    for (int i = 0; i < 6; ++i) data.args[i] = call.arguments[i];
    if (!is_good(filter.run(data))) return call.name;
  }
  return nullptr;
}

}  // namespace

const char* call_that_filter_ends(const void* filter_program) {
  // Copied with care, as the kernel does: the program may pass anything.
  const AddressSpace space;
  sock_fprog program;
  const auto at = reinterpret_cast<uintptr_t>(filter_program);
  if (space.read_guarded(&program, at, sizeof program) != sizeof program) return nullptr;
  const size_t bytes = program.len * sizeof(sock_filter);
  if (bytes == 0 || program.len > BPF_MAXINSNS) return nullptr;
  auto* code = static_cast<sock_filter*>(map(bytes));
  if (code == nullptr) return nullptr;
  const char* ended = nullptr;
  if (space.read_guarded(code, reinterpret_cast<uintptr_t>(program.filter), bytes) == bytes) {
    const Filter filter(code, program.len);
    ended = first_call_ended(filter, kCalls);
    if (first_call_ended(filter, kCopyCalls) != nullptr) forbid_copies();
    if (first_call_ended(filter, kUndirectedCalls) != nullptr) forbid_undirected_stop_signals();
    if (first_call_ended(filter, kDeferringCalls, is_allowed) != nullptr) forbid_deferring();
    if (first_call_ended(filter, kLockCalls) != nullptr) locked_memory::forbid();
    if (first_call_ended(filter, kAdviceCalls) != nullptr) advice::forbid();
    if (first_call_ended(filter, kSocketCalls) != nullptr) forbid_questions_to_sockets();
    if (first_call_ended(filter, kFileCalls) != nullptr) forbid_questions_to_files();
    if (first_call_ended(filter, kNoteCalls) != nullptr) forbid_notes();
    if (first_call_ended(filter, kRequestCalls) != nullptr) forbid_requests();
  }
  release(code, bytes);
  return ended;
}

}  // namespace heaprake::platform
