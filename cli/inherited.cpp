#include "cli/inherited.h"

#include <algorithm>

#include "cli/failure.h"
#include "cli/snapshot/chunk_file.h"
#include "cli/snapshot/payload.h"
#include "cli/snapshot/reader.h"
#include "cli/text.h"

namespace heaprake::cli {

namespace {

bool is_inherited(const Snapshot& snapshot, uint32_t block) {
  return snapshot.flags[block] & HEAPRAKE_BLOCK_INHERITED;
}

bool has_lost_anything(const std::string& path) {
  try {
    ChunkFile file(path);
    file.header();
    return file.end().unreachable_blocks > 0;
  } catch (const Damage&) {
    return false;
  } catch (const Failure&) {
    return false;
  }
}

// Of a process that can be read.
template <class Look>
void look_at(const std::string& path, Look look) {
  try {
    look(read_snapshot(path));
  } catch (const Failure&) {
    // Its report says so, if it has one.
  }
}

}  // namespace

Inherited::Key Inherited::key(const Snapshot& snapshot, uint32_t block) {
  return {snapshot.address[block], snapshot.requested[block], snapshot.time_ms[block]};
}

Inherited::Inherited(const HuntFiles& files, pid_t program) {
  // Those that are in question are few, what has been lost may be much.
  for (pid_t pid : files.processes()) {
    const std::string path = files.at_exit(pid).string();
    if (pid == program || !has_lost_anything(path)) continue;
    look_at(path, [&](const Snapshot& snapshot) {
      for (uint32_t block = 0; block < snapshot.blocks(); ++block)
        if (is_inherited(snapshot, block) && !snapshot.reachable(block))
          losers_.try_emplace(key(snapshot, block));
    });
  }
  if (losers_.empty()) return;
  for (pid_t pid : files.processes()) read(files, pid);
  for (size_t i = 0; i < processes_.size(); ++i) processes_[i].elders = elders_of(i);
}

void Inherited::read(const HuntFiles& files, pid_t pid) {
  look_at(files.at_exit(pid).string(), [&](const Snapshot& snapshot) {
    const size_t index = processes_.size();
    Process& process = processes_.emplace_back(Process{pid, {}, {}});
    for (uint32_t number = 1; number < snapshot.threads.size(); ++number)
      process.threads.try_emplace(snapshot.threads[number].tid, number);
    for (uint32_t block = 0; block < snapshot.blocks(); ++block) {
      if (snapshot.reachable(block)) continue;
      const auto loser = losers_.find(key(snapshot, block));
      if (loser != losers_.end()) loser->second.push_back(index);
    }
  });
}

// Those that the process was forked from, and those that these were.
std::vector<size_t> Inherited::elders_of(size_t process) const {
  std::vector<size_t> elders;
  for (size_t i = 0; i < processes_.size(); ++i)
    if (i != process && number_of(i, process) != 0) elders.push_back(i);
  return elders;
}

// Of the main thread of the elder, among the threads of the process; 0: it is none.
uint32_t Inherited::number_of(size_t elder, size_t process) const {
  const auto& threads = processes_[process].threads;
  const auto found = threads.find(static_cast<uint32_t>(processes_[elder].pid));
  return found == threads.end() ? 0 : found->second;
}

// The last process before this one that is known and had the block.
size_t Inherited::nearest_owner(size_t process, const Snapshot& snapshot, uint32_t block) const {
  const uint32_t thread = snapshot.thread[block];
  const uint32_t tid = snapshot.threads[thread].tid;
  size_t nearest = kNone;
  uint32_t nearest_number = 0;
  for (size_t i : processes_[process].elders) {
    const uint32_t number = number_of(i, process);
    const bool had_it = number >= thread || processes_[i].threads.contains(tid);
    if (!had_it || number < nearest_number) continue;
    nearest = i;
    nearest_number = number;
  }
  return nearest;
}

// Where nothing is known of those that had it before, the first of those that have lost it tells.
bool Inherited::is_told(size_t process, const Snapshot& snapshot, uint32_t block) const {
  const auto losers = losers_.find(key(snapshot, block));
  if (losers == losers_.end()) return false;
  const bool known = nearest_owner(process, snapshot, block) != kNone;
  const auto rank = [this](size_t i) { return std::pair(processes_[i].elders.size(), i); };
  const std::vector<size_t>& elders = processes_[process].elders;
  return std::any_of(losers->second.begin(), losers->second.end(), [&](size_t other) {
    return std::binary_search(elders.begin(), elders.end(), other) ||
           (!known && rank(other) < rank(process));
  });
}

std::vector<std::string> Inherited::leave_to_others(pid_t pid, Snapshot* snapshot) const {
  const auto found = std::find_if(processes_.begin(), processes_.end(),
                                  [pid](const Process& process) { return process.pid == pid; });
  if (found == processes_.end()) return {};
  const auto process = static_cast<size_t>(found - processes_.begin());
  std::map<size_t, uint64_t> left;  // by whom they came from
  for (uint32_t block = 0; block < snapshot->blocks(); ++block) {
    if (!is_inherited(*snapshot, block) || snapshot->reachable(block)) continue;
    if (!is_told(process, *snapshot, block)) {
      ++left[nearest_owner(process, *snapshot, block)];
      continue;
    }
    snapshot->flags[block] |= HEAPRAKE_BLOCK_REACHABLE;
    heaprake_snapshot_end& totals = snapshot->totals;
    const uint64_t bytes = snapshot->requested[block];
    --totals.unreachable_blocks;
    totals.unreachable_bytes -= bytes;
    ++totals.reachable_blocks;
    totals.reachable_bytes += bytes;
  }
  std::vector<std::string> sentences;
  for (const auto& [owner, blocks] : left) {
    const std::string had = counted(blocks, "block") + " of these had been inherited from ";
    sentences.push_back(
        owner == kNone
            ? had + "a process of which nothing is known: it may have lost them before the fork"
            : had + "process " + std::to_string(processes_[owner].pid) +
                  ", which has not lost them");
  }
  return sentences;
}

}  // namespace heaprake::cli
