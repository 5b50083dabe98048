#include "platform/stop_roll.h"

namespace heaprake::platform {
namespace {

// Makes room for `wanted` elements, keeping `used`.
template <class T>
bool grow(T** array, size_t used, size_t* capacity, size_t wanted) {
  if (wanted <= *capacity) return true;
  size_t larger = *capacity == 0 ? 256 : *capacity;
  while (larger < wanted) larger *= 2;
  auto* fresh = static_cast<T*>(map(larger * sizeof(T)));
  if (fresh == nullptr) return false;
  if (used != 0) __builtin_memcpy(static_cast<void*>(fresh), *array, used * sizeof(T));
  if (*array != nullptr) release(*array, *capacity * sizeof(T));
  *array = fresh;
  *capacity = larger;
  return true;
}

StoppedThread describe_in_region(int tid, const ThreadRecord& record) {
  StoppedThread thread{};
  thread.tid = tid;
  thread.form = StandForm::kRegion;
  thread.sp = record.sp.load(std::memory_order_relaxed);
  if (thread.sp == record.held_sp) {
    thread.form = record.held_form;
    thread.registers = record.held_registers;
    thread.vectors = record.held_vectors;
  }
  thread.tcb = record.tcb.load(std::memory_order_relaxed);
  thread.gs = record.gs.load(std::memory_order_relaxed);
  thread.altstack = record.altstack.load(std::memory_order_relaxed);
  return thread;
}

}  // namespace

bool StopRoll::add(const Entry& entry) {
  if (!grow(&entries_, count_, &capacity_, count_ + 1)) return false;
  entries_[count_++] = entry;
  return true;
}

size_t StopRoll::count(Standing standing) const {
  size_t found = 0;
  for (size_t i = 0; i < count_; ++i) found += entries_[i].standing == standing;
  return found;
}

bool StopRoll::describe(const StoppedThread& self, const StoppedThread** threads, size_t* count) {
  if (!grow(&threads_, 0, &threads_capacity_, count_ + 1)) return false;
  size_t used = 0;
  threads_[used++] = self;
  for (const Entry& entry : *this) {
    if (entry.standing == Standing::kAnswered) threads_[used++] = entry.record->stopped;
    if (entry.standing == Standing::kInRegion)
      threads_[used++] = describe_in_region(entry.tid, *entry.record);
  }
  *threads = threads_;
  *count = used;
  return true;
}

}  // namespace heaprake::platform
