#include "platform/thread_record.h"

#include <asm/prctl.h>
#include <signal.h>
#include <sys/auxv.h>

#include "platform/inherited_filter.h"
#include "platform/stop_signal.h"
#include "platform/syscall.h"

namespace heaprake::platform {
namespace {

// The kernel's upper limit of thread ids on 64-bit machines is 4,194,304.
constexpr size_t kMaxThreads = 4u << 20;
constexpr size_t kChunkRecords = 512;
constexpr size_t kChunkBytes = kChunkRecords * sizeof(ThreadRecord);

// A chunk is installed once and stays; nullptr until a thread of its ids is met.
std::atomic<ThreadRecord*> chunks[kMaxThreads / kChunkRecords];

}  // namespace

extern "C" {
constinit thread_local ThreadRecord* heaprake_thread_record
    __attribute__((used, tls_model("initial-exec"))) = nullptr;
}

ThreadRecord* find_record(int tid) {
  const auto index = static_cast<size_t>(tid);
  if (index >= kMaxThreads) return nullptr;
  ThreadRecord* chunk = chunks[index / kChunkRecords].load(std::memory_order_acquire);
  return chunk == nullptr ? nullptr : chunk + index % kChunkRecords;
}

ThreadRecord* make_record(int tid) {
  const auto index = static_cast<size_t>(tid);
  if (index >= kMaxThreads) return nullptr;
  std::atomic<ThreadRecord*>& slot = chunks[index / kChunkRecords];
  if (slot.load(std::memory_order_acquire) == nullptr) {
    auto* fresh = static_cast<ThreadRecord*>(map(kChunkBytes));  // all zero: kRunning
    if (fresh == nullptr) return nullptr;
    ThreadRecord* none = nullptr;
    if (!slot.compare_exchange_strong(none, fresh, std::memory_order_acq_rel))
      release(fresh, kChunkBytes);
  }
  return find_record(tid);
}

ThreadRecord* own_record() {
  if (heaprake_thread_record != nullptr) return heaprake_thread_record;
  ThreadRecord* record = make_record(thread_id());
  if (record == nullptr) return nullptr;
  record->events.store(0, std::memory_order_relaxed);
  record->sp.store(0, std::memory_order_relaxed);
  record->held_sp = 0;
  // Whoever comes here has thread-local storage.
  const auto tcb = reinterpret_cast<uintptr_t>(__builtin_thread_pointer());
  record->tcb.store(tcb, std::memory_order_relaxed);
  record->altstack.store(alternate_stack(), std::memory_order_relaxed);
  record->gs.store(gs_base(), std::memory_order_relaxed);
  heaprake_thread_record = record;
  return record;
}

void forget_records() {
  heaprake_thread_record = nullptr;
  known_thread_id = 0;
  for (std::atomic<ThreadRecord*>& slot : chunks) {
    ThreadRecord* chunk = slot.load(std::memory_order_relaxed);
    if (chunk != nullptr) discard(chunk, kChunkBytes);
  }
}

namespace {

// Where the kernel lets programs set the bases by instructions, others read them.
bool reads_bases_by_instruction() {
  constexpr unsigned long kInstructions = 2;  // HWCAP2_FSGSBASE
  return (getauxval(AT_HWCAP2) & kInstructions) != 0;
}

}  // namespace

// Quiet, nobody looks for roots, and a program's own filter may forbid to ask for these.
uintptr_t thread_control_block() {
  if (is_quiet()) return 0;
  uintptr_t base = 0;
  if (reads_bases_by_instruction()) {
    asm volatile("rdfsbase %0" : "=r"(base));
  } else if (few_calls.load(std::memory_order_relaxed)) {
    base = reinterpret_cast<uintptr_t>(__builtin_thread_pointer());
  } else {
    sys::call(SYS_arch_prctl, ARCH_GET_FS, &base);
  }
  return base;
}

uintptr_t gs_base() {
  if (is_quiet()) return 0;
  uintptr_t base = 0;
  if (reads_bases_by_instruction()) {
    asm volatile("rdgsbase %0" : "=r"(base));
  } else {
    sys::call(SYS_arch_prctl, ARCH_GET_GS, &base);
  }
  return base;
}

uintptr_t alternate_stack() {
  if (is_quiet()) return 0;
  stack_t stack{};
  if (sys::failed(sys::call(SYS_sigaltstack, nullptr, &stack))) return 0;
  if ((stack.ss_flags & SS_DISABLE) != 0) return 0;
  allow_for_alternate_stack(stack.ss_size);
  return reinterpret_cast<uintptr_t>(stack.ss_sp);
}

void note_altstack(uintptr_t) {
  const uintptr_t base = alternate_stack();  // asked again: its size counts too
  // Without a record the base is found when the record is made.
  ThreadRecord* record = heaprake_thread_record;
  if (record != nullptr) record->altstack.store(base, std::memory_order_relaxed);
}

void note_gs_base() {
  ThreadRecord* record = heaprake_thread_record;
  if (record != nullptr) record->gs.store(gs_base(), std::memory_order_relaxed);
}

}  // namespace heaprake::platform
