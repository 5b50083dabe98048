// Where the registers of an interrupted or calling thread lie.
#include <signal.h>
#include <ucontext.h>

#include "platform/thread_record.h"
#include "platform/unwind.h"

namespace heaprake::platform {
namespace {

constexpr size_t kRedZone = 128;

// The layout of a signal frame's vector state (the kernel's struct _fpstate and _xstate).
constexpr size_t kLegacyBytes = 512;
constexpr size_t kSoftwareBytesAt = 464;
constexpr uint32_t kExtendedMagic = 0x46505853;
constexpr size_t kUpToAvxBytes = 832;
constexpr uint64_t kLegacyFeatures = 3, kAvxFeature = 4;
struct SoftwareBytes {
  uint32_t magic, extended_size;
  uint64_t features;
  uint32_t state_size;
};

// Only the components that are in use: the rest of the frame is whatever the stack held before.
Range vectors_of(const void* state) {
  if (state == nullptr) return {};
  const auto at = reinterpret_cast<uintptr_t>(state);
  SoftwareBytes software;
  __builtin_memcpy(&software, reinterpret_cast<const void*>(at + kSoftwareBytesAt),
                   sizeof software);
  if (software.magic != kExtendedMagic) return {at, at + kLegacyBytes};
  uint64_t in_use;
  __builtin_memcpy(&in_use, reinterpret_cast<const void*>(at + kLegacyBytes), sizeof in_use);
  if ((in_use & ~kLegacyFeatures) == 0) return {at, at + kLegacyBytes};
  if ((in_use & ~(kLegacyFeatures | kAvxFeature)) == 0) return {at, at + kUpToAvxBytes};
  return {at, at + software.state_size};
}

}  // namespace

StoppedThread thread_of_ucontext(const void* ucontext) {
  const auto* context = static_cast<const ucontext_t*>(ucontext);
  const greg_t* registers = context->uc_mcontext.gregs;
  StoppedThread thread{};
  thread.tid = thread_id();
  thread.form = StandForm::kSignal;
  thread.sp = static_cast<uintptr_t>(registers[REG_RSP]) - kRedZone;
  // REG_R8 ... REG_RIP, the first seventeen; what follows are flags and segment numbers.
  thread.registers = {reinterpret_cast<uintptr_t>(registers),
                      reinterpret_cast<uintptr_t>(registers + REG_RIP + 1)};
  thread.vectors = vectors_of(context->uc_mcontext.fpregs);
  thread.tcb = thread_control_block();
  thread.gs = gs_base();
  if ((context->uc_stack.ss_flags & SS_DISABLE) == 0)
    thread.altstack = reinterpret_cast<uintptr_t>(context->uc_stack.ss_sp);
  __builtin_memcpy(&thread.blocked, &context->uc_sigmask, sizeof thread.blocked);
  return thread;
}

StoppedThread thread_of_call(const CallContext& context) {
  StoppedThread thread{};
  thread.tid = thread_id();
  thread.form = StandForm::kCall;
  thread.sp = context.sp;
  thread.registers = {reinterpret_cast<uintptr_t>(&context.rbx),
                      reinterpret_cast<uintptr_t>(&context.sp)};
  thread.tcb = thread_control_block();
  thread.gs = gs_base();
  thread.altstack = alternate_stack();
  return thread;
}

CallSite site_of_stopped(const StoppedThread& thread) {
  const auto word = [](uintptr_t at) { return *reinterpret_cast<const uintptr_t*>(at); };
  constexpr size_t kWord = sizeof(uintptr_t);
  switch (thread.form) {
    case StandForm::kSignal:
      return {word(thread.registers.lo + REG_RIP * kWord) + 1, thread.sp + kRedZone,
              word(thread.registers.lo + REG_RBP * kWord)};
    case StandForm::kRegion: {
      // As region_call.S pushes them.
      constexpr size_t kSavedRbp = 96, kReturn = 104;
      return {word(thread.sp + kReturn), thread.sp + kReturn + kWord, word(thread.sp + kSavedRbp)};
    }
    case StandForm::kCall:
      break;
  }
  const size_t rbp = offsetof(CallContext, rbp);
  return {word(thread.sp - kWord), thread.sp, word(thread.registers.lo + rbp)};
}

}  // namespace heaprake::platform
