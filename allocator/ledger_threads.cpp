#include "allocator/ledger_threads.h"

#include <atomic>
#include <cstring>

#include "allocator/ledger.h"
#include "allocator/ledger_record.h"
#include "platform/coarse_clock.h"
#include "platform/task.h"

namespace heaprake::heap::ledger {
namespace {

constexpr uint32_t kMaxThreads = (1u << 14) - 1;
constexpr size_t kRoomBytes =
    (sizeof(ThreadRoom) + platform::kPageSize - 1) & ~(platform::kPageSize - 1);

struct Record {
  std::atomic<int> tid;
  std::atomic<uint64_t> since;     // in ticks
  std::atomic<uint64_t> ended_at;  // in ticks, plus one; 0: not ended
  char name[16];                   // by its thread and by refresh_threads
};

// Held with all signals blocked: a handler may be the first of its thread to allocate.
platform::Mutex lock;
Record* records;  // number n is records[n - 1]
std::atomic<uint32_t> count{0};
uint32_t inherited = 0;    // threads up to this number are a parent process's
bool alone = false;        // at the fork that is about to be made there is no other thread
bool left_behind = false;  // at a fork that led here there was one

// Rooms, from one reservation; room_count of them have had memory. `free_rooms` links those whose
// threads are gone by their first word.
char* rooms;
size_t max_rooms, room_count;
struct FreeRoom {
  FreeRoom* next;
} * free_rooms;

uint64_t start_ns;
// A thread may allocate once more after its end was noted: it keeps its number.
__thread uint32_t own_number;

uint64_t now() {
  return ticks_at(platform::coarse_ns());
}

// Under the lock: a fresh number, or that of the thread that ended first.
uint32_t take_number() {
  const uint32_t known = count.load(std::memory_order_relaxed);
  if (known < kMaxThreads) return known + 1;
  uint32_t oldest = 0;
  uint64_t oldest_end = UINT64_MAX;
  for (uint32_t i = 0; i < known; ++i) {
    const uint64_t ended = records[i].ended_at.load(std::memory_order_relaxed);
    if (ended == 0 || ended >= oldest_end) continue;
    oldest = i + 1;
    oldest_end = ended;
  }
  return oldest;
}

void enter_thread() {
  if (own_number == 0) {
    const uint32_t number = take_number();
    if (number == 0) return;
    // By this the former thread's blocks are told from those to come.
    records[number - 1].since.store(now(), std::memory_order_relaxed);
    own_number = number;
  }
  Record& record = records[own_number - 1];
  record.tid.store(platform::thread_id(), std::memory_order_relaxed);
  record.ended_at.store(0, std::memory_order_relaxed);
  platform::own_thread_name(record.name);
  if (own_number > count.load(std::memory_order_relaxed))
    count.store(own_number, std::memory_order_release);
}

void* take_room() {
  if (FreeRoom* room = free_rooms) {
    free_rooms = room->next;
    room->next = nullptr;
    return room;
  }
  if (room_count == max_rooms) return nullptr;
  char* room = rooms + room_count * kRoomBytes;
  if (!platform::commit(room, kRoomBytes)) return nullptr;
  ++room_count;
  return room;
}

void give_room_back(void* p) {
  platform::discard(p, kRoomBytes);
  auto* room = static_cast<FreeRoom*>(p);
  room->next = free_rooms;
  free_rooms = room;
}

}  // namespace

bool start_threads() {
  start_ns = platform::coarse_ns();
  records = static_cast<Record*>(platform::map(kMaxThreads * sizeof(Record)));
  size_t most = platform::address_space_limit() / 64 / kRoomBytes;
  if (most > kMaxThreads) most = kMaxThreads;
  for (; most != 0 && rooms == nullptr; most /= 2) {
    rooms = static_cast<char*>(platform::reserve(most * kRoomBytes, platform::kPageSize, 0));
    max_rooms = most;
  }
  return records != nullptr && rooms != nullptr;
}

uint64_t ticks_at(uint64_t coarse_ns) {
  return (coarse_ns - start_ns) / kTickNs;
}

ThreadRoom* make_room() {
  platform::SignalGuard guard(lock);
  // A handler may have been quicker.
  if (own_room != nullptr || rooms == nullptr) return own_room;
  auto* room = static_cast<ThreadRoom*>(take_room());
  if (room == nullptr) return nullptr;
  enter_thread();
  room->number = own_number;
  own_room = room;
  return room;
}

void thread_ended() {
  if (!kept()) return;
  platform::SignalGuard guard(lock);
  if (own_number != 0) {
    Record& record = records[own_number - 1];
    platform::own_thread_name(record.name);
    record.ended_at.store(now() + 1, std::memory_order_relaxed);
  }
  ThreadRoom* room = own_room;
  own_room = nullptr;
  if (room != nullptr) give_room_back(room);
}

uint64_t now_ms() {
  return now() * (kTickNs / 1'000'000);
}

uint32_t thread_count() {
  return count.load(std::memory_order_acquire);
}

Thread thread_at(uint32_t number) {
  Thread thread;
  if (number == 0 || number > thread_count()) return thread;
  const Record& record = records[number - 1];
  thread.tid = record.tid.load(std::memory_order_relaxed);
  thread.ended = record.ended_at.load(std::memory_order_relaxed) != 0;
  thread.since_ms = record.since.load(std::memory_order_relaxed) * (kTickNs / 1'000'000);
  std::memcpy(thread.name, record.name, sizeof thread.name);
  thread.name[sizeof thread.name - 1] = 0;
  return thread;
}

uint32_t inherited_threads() {
  return inherited;
}

bool left_threads_behind() {
  return left_behind;
}

void refresh_threads() {
  for (uint32_t i = 0; i < thread_count(); ++i) {
    Record& record = records[i];
    if (record.ended_at.load(std::memory_order_relaxed) != 0) continue;
    if (!platform::thread_name(record.tid.load(std::memory_order_relaxed), record.name))
      record.ended_at.store(now() + 1, std::memory_order_relaxed);
  }
}

void note_alone_at_fork() {
  alone = true;
}

// The child has one thread, which gets a new number, so that what it allocates can be told from
// what it has inherited; the rooms of the others are free.
void reset_threads_after_fork() {
  lock.reset_after_fork();
  if (records == nullptr) return;
  free_rooms = nullptr;
  for (size_t i = 0; i < room_count; ++i) {
    char* room = rooms + i * kRoomBytes;
    if (room != reinterpret_cast<char*>(own_room)) give_room_back(room);
  }
  for (uint32_t i = 0; i < thread_count(); ++i) {
    if (records[i].ended_at.load(std::memory_order_relaxed) == 0)
      records[i].ended_at.store(now() + 1, std::memory_order_relaxed);
  }
  left_behind = left_behind || !alone;
  alone = false;
  // Where numbers are used again they tell nothing.
  inherited = thread_count() < kMaxThreads ? thread_count() : 0;
  own_number = 0;
  if (own_room == nullptr) return;
  enter_thread();
  own_room->number = own_number;
}

}  // namespace heaprake::heap::ledger
