#include "platform/unwind.h"

#include "platform/modules.h"
#include "platform/rule_cache.h"

namespace heaprake::platform {
namespace {

Range own_code;

// The kernel's struct ucontext, at the stack pointer when a handler has returned.
constexpr uintptr_t kSavedRbp = 120, kSavedRsp = 160, kSavedRip = 168;

class Walk {
 public:
  Walk(const CallSite& site, OwnStack& own_stack, WalkedWords* words)
      : own_stack_(own_stack), words_(words), first_sp_(site.sp), at_(site) {
    words_->count = 0;
    words_->needs_bp = false;
    reader_.start(own_stack, site.sp);
    words_->whole = reader_.on_own_stack();
  }

  size_t run(uint64_t* frames, size_t capacity) {
    size_t count = 0;
    while (count < capacity) {
      const CodePlace place = place_of(at_.pc);
      if (!own_code.contains(at_.pc - 1)) frames[count++] = place.frame;
      if (!step(place)) break;
    }
    return count;
  }

  // To the outermost frame; false if the walk ended before.
  bool run(FunctionRef<void(const CallSite&)> visit) {
    // A signal's frame may lead anywhere, even back.
    constexpr unsigned kMost = 1'000'000;
    for (unsigned count = 0; count < kMost; ++count) {
      const CodePlace place = place_of(at_.pc);
      if (!step(place)) return place.rule.cfa == Cfa::kOutermost;
      visit(at_);
    }
    return false;
  }

 private:
  // Goes to the caller; false at the end of the stack, or where it cannot be followed.
  bool step(const CodePlace& place) {
    const UnwindRule& rule = place.rule;
    uintptr_t cfa = 0;
    switch (rule.cfa) {
      case Cfa::kStackPointer:
        cfa = at_.sp + rule.offset;
        break;
      case Cfa::kFramePointer:
        cfa = base_pointer() + rule.offset;
        break;
      case Cfa::kAtStack:
        if (!read(at_.sp + rule.offset, &cfa)) return false;
        cfa += rule.extra;
        break;
      case Cfa::kAtFrame:
        if (!read(base_pointer() + rule.offset, &cfa)) return false;
        cfa += rule.extra;
        break;
      case Cfa::kSignalFrame:
        return step_over_signal();
      case Cfa::kOutermost:
        return false;
      case Cfa::kUnknown:
        return place.frame >> kFrameModuleShift == 0 && step_by_frame_pointer();
    }
    return return_to(cfa, rule);
  }

  bool return_to(uintptr_t cfa, const UnwindRule& rule) {
    // A frame lies above the one that it has called; there is no way back, so that the walk ends.
    if (cfa <= at_.sp || cfa % 8 != 0) return false;
    uintptr_t pc;
    if (!read(cfa - 8, &pc)) return false;
    if (rule.bp != SavedBp::kSame) {
      const uintptr_t from = (rule.bp == SavedBp::kAtCfa ? cfa : base_pointer());
      const uintptr_t slot = from + rule.bp_words * 8;
      // Below the stack pointer: taken off the stack already, on the way out of the function.
      if (slot >= at_.sp) {
        if (!reader_.read(slot, &at_.bp)) return false;
        bp_slot_ = slot;
      }
    }
    at_.pc = pc;
    at_.sp = cfa;
    return pc != 0;
  }

  // rbp, which a CFA is built upon: where it has come from counts.
  uintptr_t base_pointer() {
    if (bp_slot_ == 0) {
      words_->needs_bp = true;
    } else if (bp_slot_ != bp_noted_) {
      bp_noted_ = bp_slot_;
      note(bp_slot_, at_.bp);
    }
    return at_.bp;
  }

  bool read(uintptr_t address, uintptr_t* word) {
    if (address < at_.sp || !reader_.read(address, word)) return false;
    note(address, *word);
    return true;
  }

  void note(uintptr_t address, uintptr_t value) {
    const uintptr_t offset = address - first_sp_;
    if (words_->count == WalkedWords::kMax || offset > UINT32_MAX) {
      words_->whole = false;
      return;
    }
    words_->offset[words_->count] = static_cast<uint32_t>(offset);
    words_->value[words_->count++] = value;
  }

  bool step_over_signal() {
    words_->whole = false;
    uintptr_t sp, bp, pc;
    if (!reader_.read(at_.sp + kSavedRbp, &bp) || !reader_.read(at_.sp + kSavedRsp, &sp) ||
        !reader_.read(at_.sp + kSavedRip, &pc) || !is_readable(sp)) {
      return false;
    }
    at_ = {pc + 1, sp, bp};
    bp_slot_ = bp_noted_ = 0;
    reader_.start(own_stack_, sp);
    return pc != 0;
  }

  // Code of no module, such as a run-time compiler's: a guess, taken only if what would be the
  // return address stands behind a call. (A module's code without tables is where stacks begin.)
  bool step_by_frame_pointer() {
    constexpr uintptr_t kMaxFrameBytes = 1 << 20;
    const uintptr_t bp = base_pointer();
    uintptr_t pc;
    if (bp - at_.sp > kMaxFrameBytes || bp % 8 != 0 || !read(bp + 8, &pc) || !is_behind_call(pc))
      return false;
    UnwindRule rule;
    rule.bp = SavedBp::kAtCfa;
    rule.bp_words = -2;
    return return_to(bp + 16, rule);
  }

  OwnStack& own_stack_;
  StackReader reader_;
  WalkedWords* const words_;
  const uintptr_t first_sp_;
  CallSite at_;
  uintptr_t bp_slot_ = 0;   // where at_.bp has been read; 0: it is the first place's
  uintptr_t bp_noted_ = 0;  // the last of these that is among the words
};

}  // namespace

bool start_unwinding(Range own) {
  own_code = own;
  return start_rule_cache();
}

size_t unwind(const CallSite& site, OwnStack& own_stack, uint64_t* frames, size_t capacity,
              WalkedWords* words) {
  return Walk(site, own_stack, words).run(frames, capacity);
}

bool for_each_caller(const CallSite& site, FunctionRef<void(const CallSite&)> visit) {
  OwnStack stack;
  WalkedWords words;
  return Walk(site, stack, &words).run(visit);
}

bool is_behind_call(uintptr_t pc) {
  constexpr uintptr_t kLongest = 7;
  if (pc < kPageSize || pc >> 47 != 0 || !is_readable(pc - kLongest) || !is_readable(pc - 1))
    return false;
  const auto* code = reinterpret_cast<const uint8_t*>(pc);
  if (code[-5] == 0xe8) return true;
  for (int length : {2, 3, 4, 6, 7}) {
    if (code[-length] == 0xff && (code[1 - length] >> 3 & 7) == 2) return true;
  }
  return false;
}

void forget_unwind_rules() {
  forget_rules();
}

uint32_t unwind_generation() {
  return rule_generation();
}

void reset_unwinding_after_fork() {
  reset_modules_after_fork();
}

}  // namespace heaprake::platform
