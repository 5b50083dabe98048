#include "collector/cycle.h"

#include <cstdio>

#include "collector/figures.h"
#include "collector/finalization.h"
#include "collector/kept_blocks.h"
#include "collector/marker.h"
#include "collector/notes.h"
#include "collector/probes.h"
#include "collector/session.h"
#include "collector/verifier.h"

namespace heaprake::collector {

constinit State state;
constinit Figures figures;

namespace {

// Below this a second marker costs more to start than it saves.
constexpr size_t kParallelBytes = 16 << 20;

// What the verifier found, kept until the world runs and it can be told.
struct Misses {
  static constexpr size_t kKept = 8;
  Miss kept[kKept];
  size_t count = 0;
  bool proved = true;
};

bool has_debug(unsigned flag) {
  return state.debug.load(std::memory_order_relaxed) & flag;
}

Fate fate_of_garbage() {
  if (state.options.mode == Mode::kHunt || state.saves) return Fate::kCount;
  if (state.options.mode == Mode::kOracle) return Fate::kCondemn;
  return state.options.poison ? Fate::kPoison : Fate::kFree;
}

void tell_misses(const Misses& misses) {
  char text[200];
  if (!misses.proved) tell(Event::kWarning, "the verifier ran out of memory; marks not verified");
  for (size_t i = 0; i < misses.count && i < Misses::kKept; i++) {
    const Miss& miss = misses.kept[i];
    snprintf(text, sizeof text,
             "verify: missed block %#zx (%zu bytes), referred to at %#zx by %s %#zx",
             miss.block.address, miss.block.size, miss.at, miss.parent ? "block" : "a root",
             miss.parent.address);
    tell(Event::kVerifierMiss, text);
  }
}

void verify(StoppedWorld& world, Misses* misses) {
  size_t found =
      verify_marks(state.roots, world.space(), word_rule(), state.bits, [&](const Miss& miss) {
        if (misses->count < Misses::kKept) misses->kept[misses->count] = miss;
        misses->count++;
      });
  misses->proved = found != SIZE_MAX;
  Figures::add(figures.verifier_misses, misses->count);
}

void note_pause(const StoppedWorld& world, uint64_t ended) {
  uint64_t pause = ended - world.began_ns();
  Figures::add(figures.pause_total_ns, pause);
  Figures::set(figures.pause_last_ns, pause);
  if (pause > figures.pause_max_ns.load(std::memory_order_relaxed)) {
    Figures::set(figures.pause_max_ns, pause);
  }
  Figures::add(figures.stop_total_ns, world.world().stop_ns);
  Figures::set(figures.threads_stopped, world.world().count - 1);
}

const char* name_of(Reason reason) {
  static const char* const kNames[] = {"asked for", "threshold", "command", "exit",
                                       "after finalizers"};
  return kNames[static_cast<int>(reason)];
}

// `lasting`: worth a word even to those who have not asked for any, once.
Outcome give_up(const char* problem, bool lasting = false) {
  static bool told = false;
  Figures::add(figures.given_up, 1);
  state.pacer.note_given_up();
  HEAPRAKE_PROBE1(collection__given__up, problem);
  char text[160];
  snprintf(text, sizeof text, "collection given up: %s", problem);
  tell(lasting && !told ? Event::kWarning : Event::kGaveUp, text);
  told = told || lasting;
  return {};
}

void tell_collected(Reason reason, const Outcome& outcome) {
  char text[200];
  snprintf(
      text, sizeof text,
      "collection %zu (%s): %zu blocks (%zu bytes) unreachable, %zu (%zu bytes) live, pause %zu us",
      static_cast<size_t>(figures.collections.load()), name_of(reason), outcome.blocks,
      outcome.bytes, static_cast<size_t>(figures.live_blocks.load()),
      static_cast<size_t>(figures.live_bytes.load()),
      static_cast<size_t>(figures.pause_last_ns.load() / 1000));
  tell(Event::kCollected, text);
}

void tell_collectable() {
  if (!has_debug(GC_DEBUG_COLLECTABLE)) return;
  state.bits.for_each_set([](size_t granule) {
    const heap::Block block = heap::block_at(granule);
    if (!block) return;
    const char* type = notes.type_of(block.address);
    char text[200];
    snprintf(text, sizeof text, "collectable %#zx (%zu bytes) %s", block.address, block.size,
             type ? type : "");
    tell(Event::kDebug, text);
  });
}

// Deals with what the bits say, and counts it.
Swept deal_with_garbage() {
  // Should memory be out the next collection finds it again.
  if (state.saves) saved.add(state.bits);
  if (state.fate != Fate::kCount) notes.forget(state.bits);
  return sweep(state.bits, state.fate, state.condemned);
}

// What the program freed before the oracle could take it away.
void count_freed_meanwhile(size_t blocks) {
  if (blocks == 0 || state.options.mode != Mode::kOracle) return;
  Figures::add(figures.mistakes, blocks);
  char text[160];
  snprintf(text, sizeof text,
           "oracle: %zu blocks were about to be condemned, and then used by free()", blocks);
  tell(Event::kMistake, text);
}

Swept sweep_now() {
  uint64_t began = platform::monotonic_ns();
  Swept swept = deal_with_garbage();
  count_freed_meanwhile(swept.gone);
  state.freeing.store(false, std::memory_order_release);
  Figures::add(figures.sweep_total_ns, platform::monotonic_ns() - began);
  if (state.options.mode == Mode::kHunt) {
    Figures::set(figures.collected, swept.blocks);
    Figures::set(figures.collected_bytes, swept.bytes);
  } else {
    Figures::add(figures.collected, swept.blocks);
    Figures::add(figures.collected_bytes, swept.bytes);
  }
  return swept;
}

// The library that makes it unsafe to free anything, nullptr if there is none.
const char* hidden_pointers() {
  const bool frees = state.options.mode != Mode::kHunt && !state.options.trust;
  return frees ? state.roots.hidden_by() : nullptr;
}

// Counts garbage that cannot be freed yet.
Swept count_garbage() {
  return sweep(state.bits, Fate::kCount, state.condemned);
}

}  // namespace

WordRule word_rule() {
  const unsigned usual = state.options.mode == Mode::kHunt ? 8 : 4;
  const unsigned alignment = state.options.alignment ? state.options.alignment : usual;
  const Disguises disguises = state.roots.disguises();
  return {disguises & kUnaligned ? 1 : alignment, ~uint64_t{0} >> state.options.tags,
          static_cast<Disguises>(disguises & ~kUnaligned)};
}

unsigned markers_for(size_t bytes) {
  if (state.options.markers) return state.options.markers;
  return bytes < kParallelBytes ? 1 : platform::processor_count();
}

void tell(Event event, const char* text) {
  if (Listener listener = state.listener.load(std::memory_order_acquire)) listener(event, text);
}

bool mark_roots(const platform::AddressSpace& space) {
  uint64_t began = platform::monotonic_ns();
  // The bits of a mark that fails half-way are no garbage. What was is found again by the next one.
  state.pending_sweep.store(false, std::memory_order_relaxed);
  state.freeing.store(false, std::memory_order_relaxed);
  // Gathering costs a copy, 4 ms for 2 MiB in a virtual machine: worth it where there is much
  // marking, and no pause should be much longer for it.
  constexpr uint64_t kHugeShare = 8;
  static uint64_t last_mark_ns = 0;
  if (!state.bits.prepare(last_mark_ns / kHugeShare)) return false;
  const uint64_t prepared = platform::monotonic_ns();
  Filter filter = Filter::for_heap(word_rule());
  size_t expected = figures.live_bytes.load(std::memory_order_relaxed) + state.roots.bytes();
  MarkResult marked = mark(state.roots, space, filter, markers_for(expected), state.bits);
  const uint64_t ended = platform::monotonic_ns();
  last_mark_ns = ended - prepared;
  Figures::add(figures.mark_total_ns, ended - began);
  if (!marked.complete) return false;
  if (marked.unread) state.roots.note_gap(kUnreadable);
  Figures::set(figures.live_blocks, marked.blocks);
  Figures::set(figures.live_bytes, marked.bytes);
  Figures::set(figures.root_bytes, state.roots.bytes());
  return true;
}

namespace {

// What finalizers still need is no garbage yet. false: out of memory.
bool set_finalizable_aside(const StoppedWorld& world) {
  if (state.options.mode == Mode::kHunt) return true;
  MarkResult added;
  const Filter filter = Filter::for_heap(word_rule());
  if (!queue_finalizable(world.space(), filter, state.bits, &added)) return false;
  Figures::add(figures.live_blocks, added.blocks);
  Figures::add(figures.live_bytes, added.bytes);
  return true;
}

// The marks become garbage, which nothing refers to any more.
void conclude() {
  state.bits.turn_into_garbage();
  const bool reclaims = state.options.mode != Mode::kHunt;
  state.saves = reclaims && has_debug(GC_DEBUG_SAVEALL);
  state.fate = fate_of_garbage();
  if (reclaims) notes.clear_weak(state.bits);
  state.freeing.store(state.fate != Fate::kCount, std::memory_order_release);
  state.pacer.note_collected(figures.live_bytes.load(std::memory_order_relaxed));
}

}  // namespace

void finish_pending_sweep() {
  if (!state.pending_sweep.load(std::memory_order_acquire)) return;
  sweep_now();
  state.pending_sweep.store(false, std::memory_order_release);
}

Outcome run_cycle(Reason reason, const platform::StoppedThread& self, bool may_free) {
  HEAPRAKE_PROBE1(collection__start, name_of(reason));
  if (state.pending_sweep.load(std::memory_order_acquire)) {
    // Garbage stays garbage, but the bits that say so are about to be used again.
    if (may_free) finish_pending_sweep();
  }
  frozen.forget_dead();
  saved.forget_dead();
  Misses misses;
  Outcome outcome;
  {
    StoppedWorld world(self, state.roots, false);
    if (!world.ok()) {
      world.resume();
      return give_up(world.problem(), world.lasting());
    }
    if (const char* library = hidden_pointers()) {
      world.resume();
      char text[120];
      snprintf(text, sizeof text, "%s keeps pointers that cannot be seen (option trust)", library);
      return give_up(text);
    }
    if (state.options.mode != Mode::kHunt && state.roots.may_be_moving_distances(world.world())) {
      world.resume();
      return give_up("a thread is at work in libfontconfig, whose pointers may be on the move");
    }
    if (!mark_roots(world.space())) {
      world.resume();
      return give_up("memory ran out while marking");
    }
    if (const char* gap = state.roots.gap(); gap && state.options.mode != Mode::kHunt) {
      world.resume();
      return give_up(gap);
    }
    outcome.completed = true;
    if (state.options.verify) verify(world, &misses);
    if (!set_finalizable_aside(world)) {
      world.resume();
      outcome.completed = false;
      return give_up("memory ran out while marking");
    }
    conclude();
    world.resume();
    note_pause(world, platform::monotonic_ns());
  }
  if (may_free) tell_collectable();
  outcome.sweep_pending = !may_free && state.fate != Fate::kCount;
  Swept swept = outcome.sweep_pending ? count_garbage() : sweep_now();
  if (outcome.sweep_pending) state.pending_sweep.store(true, std::memory_order_release);
  outcome.blocks = swept.blocks;
  outcome.bytes = swept.bytes;
  if (reason == Reason::kThreshold) state.pacer.note_reclaimed(swept.bytes);
  if (reason != Reason::kAfterFinalizers) Figures::add(figures.collections, 1);
  if (reason == Reason::kThreshold) Figures::add(figures.automatic, 1);
  HEAPRAKE_PROBE3(collection__end, name_of(reason),
                  figures.live_bytes.load(std::memory_order_relaxed), outcome.bytes);
  tell_misses(misses);
  tell_collected(reason, outcome);
  return outcome;
}

}  // namespace heaprake::collector
