#include "collector/snapshot_stream.h"

#include <algorithm>

namespace heaprake::collector {

namespace {

constexpr size_t kHead = sizeof(heaprake_snapshot_chunk);
constexpr size_t kBuffer = HEAPRAKE_SNAPSHOT_MAX_CHUNK + platform::kPageSize;
static_assert(kHead <= platform::kPageSize);

}  // namespace

void Section::flush() {
  if (!used_) return;
  const heaprake_snapshot_chunk head{kind_, static_cast<uint32_t>(used_)};
  memcpy(payload_ - kHead, &head, kHead);
  if (*fd_ >= 0 && !platform::write_all(*fd_, payload_ - kHead, kHead + used_)) *fd_ = -1;
  used_ = 0;
}

SnapshotStream::~SnapshotStream() {
  if (memory_) platform::release(memory_, 2 * kBuffer);
}

bool SnapshotStream::open(int fd) {
  memory_ = static_cast<char*>(platform::map(2 * kBuffer));
  if (!memory_) return false;
  fd_ = fd;
  current_.fd_ = strings_.fd_ = &fd_;
  current_.payload_ = reinterpret_cast<uint8_t*>(memory_) + kHead;
  strings_.payload_ = current_.payload_ + kBuffer;
  strings_.kind_ = HEAPRAKE_SNAPSHOT_STRINGS;
  return true;
}

void SnapshotStream::header(const heaprake_snapshot_header& header) {
  if (fd_ >= 0 && !platform::write_all(fd_, &header, sizeof header)) fd_ = -1;
}

Section& SnapshotStream::section(uint32_t kind) {
  if (current_.kind_ != kind) current_.flush();
  current_.kind_ = kind;
  return current_;
}

bool SnapshotStream::close(const heaprake_snapshot_end& end) {
  strings_.flush();
  Section& last = section(HEAPRAKE_SNAPSHOT_END);
  last.begin(sizeof end);
  last.bytes(&end, sizeof end);
  last.flush();
  return fd_ >= 0;
}

StringNumbers::~StringNumbers() {
  if (slots_) platform::release(slots_, kSlots * sizeof(Slot));
}

uint32_t StringNumbers::of(const char* text) {
  if (!*text) return 0;
  if (!slots_) slots_ = static_cast<Slot*>(platform::map(kSlots * sizeof(Slot)));
  if (!slots_) return 0;
  size_t at = (reinterpret_cast<uintptr_t>(text) * 0x9e3779b97f4a7c15) >> 48;
  static_assert(kSlots == size_t{1} << 16);
  for (; slots_[at].text; at = (at + 1) % kSlots) {
    if (slots_[at].text == text) return slots_[at].number;
  }
  if (count_ >= kSlots / 2) return 0;
  slots_[at] = {text, ++count_};
  constexpr size_t kMostText = HEAPRAKE_SNAPSHOT_MAX_CHUNK / 2;
  const size_t length = std::min(strlen(text), kMostText);
  Section& strings = stream_.strings();
  strings.begin(length + Section::kMostNumber);
  strings.text(text, length);
  return slots_[at].number;
}

}  // namespace heaprake::collector
