#include "collector/registrations.h"

#include "allocator/heap.h"

namespace heaprake::collector {

constinit Registrations registrations;

void Registrations::forget(Registration kind, uint64_t id) {
  for (Entry& entry : entries_) {
    if (entry.kind == kind && entry.id == id) entry.word = 0;
  }
}

void Registrations::add(Registration kind, uint64_t id, uintptr_t word) {
  const bool counts = word - heap::geometry.base < heap::geometry.size;
  if (!counts && entries_.empty()) return;
  platform::SignalGuard guard(lock_);
  forget(kind, id);
  if (!counts) return;
  for (Entry& entry : entries_) {
    if (entry.word != 0) continue;
    entry = Entry{kind, id, word};
    return;
  }
  if (!entries_.push(Entry{kind, id, word})) lost_ = true;
}

void Registrations::remove(Registration kind, uint64_t id) {
  if (entries_.empty()) return;
  platform::SignalGuard guard(lock_);
  forget(kind, id);
}

bool Registrations::add_words(MappedArray<uintptr_t>& words) const {
  bool ok = !lost_;
  for (const Entry& entry : entries_) {
    if (entry.word) ok = ok && words.push(entry.word);
  }
  return ok;
}

void Registrations::clear_after_fork() {
  lock_.reset_after_fork();
  entries_.clear();
  lost_ = false;
}

}  // namespace heaprake::collector
