#include "platform/taken_signals.h"

#include <atomic>

#include "platform/platform.h"

namespace heaprake::platform::taken_signals {
namespace {

// Who has got a place fills it before anybody else looks: who interrupts it returns first. Of a
// standard signal there is one at most, as with the kernel.
struct Taken {
  int signal;
  siginfo_t info;
};
constexpr size_t kPlaces = 512;
// From then on real-time signals are blocked after all. Of those that have interrupted each other
// by then, and are yet to be noted, there is one a number at most; nor are there more standard
// ones.
constexpr size_t kNearlyFull = 384;
static_assert(kPlaces - kNearlyFull >= 64 + 64);
Taken taken[kPlaces];
std::atomic<size_t> taken_count{0};
std::atomic<uint64_t> standard_taken{0};

// What stands for information that the handler has not asked for.
siginfo_t made_up(int signal) {
  siginfo_t info{};
  info.si_signo = signal;
  info.si_code = signal < kFirstRealTime ? SI_USER : SI_QUEUE;
  info.si_pid = process_id();
  return info;
}

bool send_one(int process, const Taken& one) {
  constexpr long kLimitReached = -11;
  const long result = sys::call(SYS_rt_tgsigqueueinfo, process, process, one.signal, &one.info);
  if (!sys::failed(result)) return true;
  return result != kLimitReached &&
         !sys::failed(sys::call(SYS_tgkill, process, process, one.signal));
}

// A timer's signal that is dropped, since there is one already: as the kernel counts those that it
// drops itself.
void count_overrun(int signal, const siginfo_t& dropped) {
  for (size_t i = 0; i < taken_count.load(); ++i) {
    siginfo_t& kept = taken[i].info;
    if (taken[i].signal == signal && kept.si_code == SI_TIMER &&
        kept.si_timerid == dropped.si_timerid)
      kept.si_overrun += 1 + dropped.si_overrun;
  }
}

}  // namespace

bool add(int signal, const siginfo_t* info) {
  const uint64_t bit = signal_bit(signal) & kStandardSignals;
  if (bit != 0 && (standard_taken.fetch_or(bit) & bit) != 0) {
    if (info != nullptr && info->si_code == SI_TIMER) count_overrun(signal, *info);
    return true;
  }
  const size_t index = taken_count.fetch_add(1);
  if (index >= kPlaces) {
    taken_count.fetch_sub(1);
    standard_taken.fetch_and(~bit);
    return false;
  }
  taken[index].signal = signal;
  taken[index].info = info != nullptr ? *info : made_up(signal);
  return index < kNearlyFull;
}

bool are_nearly_full() {
  return taken_count.load() >= kNearlyFull;
}

size_t count() {
  return taken_count.load(std::memory_order_relaxed);
}

uint64_t send(int process) {
  size_t kept = 0;
  uint64_t sent = 0, refused = 0;
  const size_t all = taken_count.load();
  for (size_t i = 0; i < all; ++i) {
    const uint64_t bit = signal_bit(taken[i].signal);
    if ((refused & bit) == 0 && send_one(process, taken[i])) {
      standard_taken.fetch_and(~bit);
      sent |= bit;
      continue;
    }
    refused |= bit;
    if (kept != i) taken[kept] = taken[i];
    ++kept;
  }
  taken_count.store(kept);
  return sent;
}

void forget() {
  taken_count.store(0);
  standard_taken.store(0);
}

}  // namespace heaprake::platform::taken_signals
