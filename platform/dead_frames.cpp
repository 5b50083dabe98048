#include "platform/dead_frames.h"

#include "platform/modules.h"
#include "platform/rule_cache.h"
#include "platform/unwind.h"

extern "C" void* __libc_stack_end __attribute__((weak));

namespace heaprake::platform {
namespace {

constexpr uintptr_t kWord = sizeof(uintptr_t);

uintptr_t word_at(uintptr_t address) {
  return *reinterpret_cast<const uintptr_t*>(address);
}

class Search {
 public:
  Search(const StoppedThread& thread, Range stack) : thread_(thread), stack_(stack) {}

  // Walks the living frames. false: not even the innermost caller is known.
  bool walk() {
    reaches_end_ = for_each_caller(site_of_stopped(thread_), [&](const CallSite& caller) {
      if (!stack_.contains(caller.sp - kWord)) return;
      if (caller.sp > walked_) walked_ = caller.sp;
    });
    return walked_ != 0;
  }

  // Up to where the walk has come, frame by frame.
  void look_into_frames(FunctionRef<void(Range)> visit) {
    uintptr_t lo = thread_.sp;
    for_each_caller(site_of_stopped(thread_), [&](const CallSite& caller) {
      const uintptr_t slot = caller.sp - kWord;
      if (!stack_.contains(slot) || slot < lo) return;
      look_into({lo, slot}, visit);
      lo = caller.sp;
    });
  }

  // On the process's first stack, which its beginning bounds: a thread that has been followed up to
  // there stands on no coroutine's stack inside of it.
  void look_below(FunctionRef<void(Range)> visit) {
    constexpr uintptr_t kFirstFrame = 256;
    const auto end =
        &__libc_stack_end == nullptr ? 0 : reinterpret_cast<uintptr_t>(__libc_stack_end);
    if (reaches_end_ && stack_.contains(end) && walked_ + kFirstFrame >= end && walked_ <= end)
      visit({stack_.lo, thread_.sp});
  }

 private:
  // Of one living frame, whose own return address stands at its end.
  static void look_into(Range frame, FunctionRef<void(Range)> visit) {
    for (uintptr_t slot = (frame.lo + kWord - 1) & ~(kWord - 1); slot + kWord <= frame.hi;
         slot += kWord) {
      UnwindRule rule;
      if (!returns_to_code(word_at(slot), &rule)) continue;
      const uintptr_t end = end_of_caller(frame.lo, slot, rule);
      if (end <= slot + kWord || end > frame.hi || (end - slot) % kWord != 0) continue;
      if (returns_to_code(word_at(end - kWord), &rule)) visit({slot + kWord, end - kWord});
    }
  }

  static bool returns_to_code(uintptr_t word, UnwindRule* rule) {
    LoadedModule module;
    if (word < kPageSize || !find_loaded(word - 1, &module)) return false;
    *rule = place_of(word).rule;
    return rule->cfa != Cfa::kUnknown && is_behind_call(word);
  }

  // One past the return address of the function to which the word at `slot` returns; 0: unknown.
  // Nothing below `lo` is read.
  static uintptr_t end_of_caller(uintptr_t lo, uintptr_t slot, const UnwindRule& rule) {
    if (rule.cfa == Cfa::kStackPointer) return slot + kWord + rule.offset;
    // Where functions keep rbp they save it first of all.
    if (rule.cfa == Cfa::kFramePointer && slot > lo) return word_at(slot - kWord) + rule.offset;
    return 0;
  }

  const StoppedThread& thread_;
  const Range stack_;
  uintptr_t walked_ = 0;  // the highest place on `stack_` that the walk has come to
  bool reaches_end_ = false;
};

}  // namespace

void for_each_dead_frame(const StoppedThread& thread, Range stack, bool contexts,
                         FunctionRef<void(Range)> visit) {
  Search search(thread, stack);
  if (!search.walk()) return;
  if (contexts) {
    search.look_below(visit);
  } else {
    search.look_into_frames(visit);
  }
}

}  // namespace heaprake::platform
