#include "collector/callbacks.h"

#include <algorithm>
#include <cerrno>

#include "allocator/heap.h"
#include "collector/contained_call.h"
#include "collector/user_code.h"

namespace heaprake::collector {

constinit Callbacks callbacks;

bool Callbacks::add(gc_callback call, void* arg) {
  platform::ForkGuard guard(lock_);
  return entries_.push({call, arg});
}

bool Callbacks::remove(gc_callback call, void* arg) {
  platform::ForkGuard guard(lock_);
  for (size_t i = 0; i < entries_.size(); i++) {
    if (entries_[i].call != call || entries_[i].arg != arg) continue;
    std::move(entries_.begin() + i + 1, entries_.end(), entries_.begin() + i);
    entries_.pop();
    return true;
  }
  return false;
}

bool Callbacks::get(size_t i, Entry* entry) {
  platform::ForkGuard guard(lock_);
  if (i >= entries_.size()) return false;
  *entry = entries_[i];
  return true;
}

void Callbacks::call(gc_phase phase, const gc_info& info) {
  if (entries_.empty()) return;
  // This may be in the middle of an allocation that succeeds.
  const int kept_errno = errno;
  Entry entry;
  for (size_t i = 0; get(i, &entry); i++) {
    UserCode here;
    const heap::LeftHook left = heap::leave_hook();
    call_contained(entry.call, phase, &info, entry.arg);
    heap::return_to_hook(left);
  }
  errno = kept_errno;
}

bool Callbacks::add_words(MappedArray<uintptr_t>& words) const {
  bool room = true;
  for (const Entry& entry : entries_) {
    room = room && words.push(reinterpret_cast<uintptr_t>(entry.arg));
  }
  return room;
}

}  // namespace heaprake::collector
