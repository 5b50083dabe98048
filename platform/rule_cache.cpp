#include "platform/rule_cache.h"

#include <atomic>
#include <bit>
#include <cstring>

#include "platform/guarded_stack.h"
#include "platform/modules.h"
#include "platform/unwind.h"

namespace heaprake::platform {
namespace {

constexpr unsigned kBucketBits = 14;
constexpr size_t kWays = 4;
constexpr unsigned kPcBits = 48;
constexpr uint64_t kPcMask = (uint64_t{1} << kPcBits) - 1;
static_assert(kMaxModules < 1u << (64 - kPcBits));

struct Entry {
  std::atomic<uint64_t> pc_and_module;
  std::atomic<uint64_t> rule;
};
struct alignas(64) Bucket {
  Entry entries[kWays];
};
static_assert(sizeof(Bucket) == 64);

Bucket* buckets;
std::atomic<uint32_t> generation{0};
// The bases of modules by number, to be read without going through the table of modules.
uintptr_t bases[kMaxModules + 1];

uint64_t hash_of(uintptr_t pc) {
  return pc * 0x9e37'79b9'7f4a'7c15;
}
Bucket& bucket_of(uint64_t hash) {
  return buckets[hash >> (64 - kBucketBits)];
}
uint32_t tag_of(uint64_t hash) {
  return static_cast<uint32_t>(hash >> (64 - kBucketBits - 12)) & 0xfff;
}

uint64_t frame_of(uintptr_t pc, size_t module) {
  return uint64_t{module} << kFrameModuleShift | ((pc - bases[module]) & kPcMask);
}

// mov $15, %rax; syscall: a handler's return to the kernel, for which there need not be tables.
bool is_signal_return(uintptr_t pc) {
  static constexpr uint8_t kCode[] = {0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05};
  return is_readable(pc) && is_readable(pc + sizeof kCode - 1) &&
         std::memcmp(reinterpret_cast<const void*>(pc), kCode, sizeof kCode) == 0;
}

UnwindRule read_rule(const LoadedModule* module, uintptr_t pc) {
  UnwindRule rule;
  if (module != nullptr) rule = rule_from_tables(module->tables, pc - 1);
  if (rule.cfa == Cfa::kUnknown && is_signal_return(pc)) rule.cfa = Cfa::kSignalFrame;
  return rule;
}

void store(Bucket& bucket, uint64_t hash, uintptr_t pc, size_t module, UnwindRule rule) {
  Entry* target = &bucket.entries[hash % kWays];
  for (Entry& entry : bucket.entries) {
    if (entry.pc_and_module.load(std::memory_order_relaxed) == 0) {
      target = &entry;
      break;
    }
  }
  rule.tag = tag_of(hash);
  target->rule.store(std::bit_cast<uint64_t>(rule), std::memory_order_relaxed);
  target->pc_and_module.store(uint64_t{module} << kPcBits | pc, std::memory_order_release);
}

[[gnu::noinline]] CodePlace look_up(uintptr_t pc) {
  const uint32_t before = generation.load(std::memory_order_acquire);
  LoadedModule loaded;
  const bool found = find_loaded(pc - 1, &loaded);
  const size_t module = found ? module_number(loaded) : 0;
  if (module != 0) bases[module] = loaded.base;
  const CodePlace place{read_rule(found ? &loaded : nullptr, pc), frame_of(pc, module)};
  const uint64_t hash = hash_of(pc);
  if (before == generation.load(std::memory_order_acquire))
    store(bucket_of(hash), hash, pc, module, place.rule);
  return place;
}

}  // namespace

bool start_rule_cache() {
  buckets = static_cast<Bucket*>(map(sizeof(Bucket) << kBucketBits));
  return buckets != nullptr;
}

CodePlace place_of(uintptr_t pc) {
  if (buckets == nullptr || (pc & ~kPcMask) != 0) return {UnwindRule(), pc & kPcMask};
  const uint64_t hash = hash_of(pc);
  for (const Entry& entry : bucket_of(hash).entries) {
    const uint64_t pc_and_module = entry.pc_and_module.load(std::memory_order_acquire);
    if ((pc_and_module & kPcMask) != pc) continue;
    const auto rule = std::bit_cast<UnwindRule>(entry.rule.load(std::memory_order_relaxed));
    if (rule.tag == tag_of(hash)) return {rule, frame_of(pc, pc_and_module >> kPcBits)};
  }
  return look_up(pc);
}

void forget_rules() {
  generation.fetch_add(1, std::memory_order_acq_rel);
  if (buckets == nullptr) return;
  for (size_t i = 0; i < size_t{1} << kBucketBits; ++i) {
    for (Entry& entry : buckets[i].entries) {
      if (entry.pc_and_module.load(std::memory_order_relaxed) != 0)
        entry.pc_and_module.store(0, std::memory_order_relaxed);
    }
  }
}

uint32_t rule_generation() {
  return generation.load(std::memory_order_acquire);
}

}  // namespace heaprake::platform
