// A table of entries found by the address of a block, on mapped pages: open addressing, the next
// free place, no tombstones. Entry: trivially copyable, zero is its empty state, `address` its key.
//
// One thread at a time. insert and erase move entries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "platform/platform.h"

namespace heaprake::collector {

template <class Entry>
class AddressMap {
  static_assert(std::is_trivially_copyable_v<Entry>);

 public:
  constexpr AddressMap() = default;
  AddressMap(const AddressMap&) = delete;
  AddressMap& operator=(const AddressMap&) = delete;

  size_t size() const { return size_; }

  Entry* find(uintptr_t address) {
    if (!size_) return nullptr;
    Entry& entry = entries_[place_of(address)];
    return entry.address == address ? &entry : nullptr;
  }

  // The entry for the address, an empty one if it is new; nullptr when out of memory.
  Entry* insert(uintptr_t address) {
    if (Entry* known = find(address)) return known;
    if (!has_room() && !grow()) return nullptr;
    Entry& entry = entries_[place_of(address)];
    entry = Entry{};
    entry.address = address;
    size_++;
    return &entry;
  }

  // Later entries move up, so that none is behind a gap on its way from its proper place.
  void erase(Entry* entry) {
    size_t hole = static_cast<size_t>(entry - entries_);
    for (size_t at = next(hole); entries_[at].address; at = next(at)) {
      const size_t wished = hash(entries_[at].address);
      const bool between =
          hole < at ? hole < wished && wished <= at : hole < wished || wished <= at;
      if (between) continue;
      entries_[hole] = entries_[at];
      hole = at;
    }
    entries_[hole] = Entry{};
    size_--;
  }

  // Gives the memory back; the content is lost.
  void release() {
    if (entries_) platform::release(entries_, capacity_ * sizeof(Entry));
    entries_ = nullptr;
    capacity_ = size_ = 0;
  }

  template <class Visit>
  void for_each(Visit visit) {
    for (size_t i = 0; size_ && i < capacity_; i++) {
      if (entries_[i].address) visit(entries_[i]);
    }
  }
  // Entries that move are never passed over; some are asked about twice.
  template <class Condition>
  void erase_if(Condition condition) {
    for (size_t i = 0; size_ && i < capacity_;) {
      if (entries_[i].address && condition(entries_[i])) {
        erase(&entries_[i]);
      } else {
        i++;
      }
    }
  }

 private:
  static constexpr size_t kFirstCapacity = 64;

  size_t next(size_t i) const { return (i + 1) & (capacity_ - 1); }
  // Of all bits, since blocks of a kind lie at regular distances.
  size_t hash(uintptr_t address) const {
    return (address * 0x9e37'79b9'7f4a'7c15u >> 20) & (capacity_ - 1);
  }
  // Where the address is, or the free place where it belongs.
  size_t place_of(uintptr_t address) const {
    size_t i = hash(address);
    while (entries_[i].address && entries_[i].address != address) i = next(i);
    return i;
  }
  bool has_room() const { return (size_ + 1) * 3 <= capacity_ * 2; }
  bool grow() {
    const size_t old_capacity = capacity_;
    Entry* old = entries_;
    const size_t capacity = old_capacity ? old_capacity * 2 : kFirstCapacity;
    auto* grown = static_cast<Entry*>(platform::map(capacity * sizeof(Entry)));
    if (!grown) return false;
    entries_ = grown;
    capacity_ = capacity;
    for (size_t i = 0; i < old_capacity; i++) {
      if (old[i].address) entries_[place_of(old[i].address)] = old[i];
    }
    if (old) platform::release(old, old_capacity * sizeof(Entry));
    return true;
  }

  Entry* entries_ = nullptr;
  size_t capacity_ = 0;  // a power of two, at most two thirds full
  size_t size_ = 0;
};

}  // namespace heaprake::collector
