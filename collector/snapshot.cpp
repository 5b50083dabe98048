// Taking a snapshot: stop the world, mark, tell what was found. On request the last two are left to
// a copy of the process, so that the program stands still only while that is made.
//
//   stop -> roots, threads -> [what a copy would lack is read -> copy is made -> resume] -> mark ->
//   excuse -> tables -> roots' references (all) -> blocks -> end
#include <cstdio>

#include "collector/cycle.h"
#include "collector/marker.h"
#include "collector/session.h"
#include "collector/snapshot_graph.h"
#include "collector/snapshot_tables.h"

namespace heaprake::collector {

namespace {

uint64_t process_start_ns = 0;

class Snapshot {
 public:
  Snapshot(const SnapshotPlan& plan, platform::FunctionRef<void(bool)> begin)
      : plan_(plan), begin_(begin), pid_(platform::process_id()) {}
  ~Snapshot() {
    threads_.shrink(0);
    module_numbers_.shrink(0);
    thread_numbers_.shrink(0);
  }

  void take(const platform::StoppedThread& self, Outcome* outcome) {
    if (plan_.why_not) return explain(plan_.why_not);
    StoppedWorld world(self, state.roots, true);
    if (!world.ok() || !note_threads(world.world(), &threads_)) {
      const char* problem = world.ok() ? "memory ran out" : world.problem();
      world.resume();
      return explain(problem);
    }
    if (plan_.copy && leave_to_copy(world)) {
      outcome->completed = true;
      return;
    }
    write(world.world(), world.space(), outcome);
    world.resume();
    tell_pause(world);
  }

 private:
  // What is there when nothing could be looked at.
  void explain(const char* problem) {
    begin_(plan_.explain);
    SnapshotStream stream;
    if (!plan_.explain || !stream.open(plan_.fd)) return;
    write_head(stream);
    write_reason(stream, problem);
    write_programs_words(stream);
    stream.close({});
  }

  bool leave_to_copy(StoppedWorld& world) {
    if (platform::is_traced() || !state.roots.prepare_for_copy(world.space(), word_rule()))
      return false;
    world_ = &world.world();
    const bool left = platform::run_in_copy(
        plan_.fd,
        [](void* snapshot) {
          // The descriptors of the world's own view were the process's, and are closed here.
          platform::AddressSpace space;
          space.open();
          Outcome unheard;
          auto* const copied = static_cast<Snapshot*>(snapshot);
          copied->write(*copied->world_, space, &unheard);
        },
        this);
    world_ = nullptr;
    if (!left) return false;
    world.resume();
    tell_pause(world);
    return true;
  }

  // With nothing moving: in the stopped world, or in a copy of the process.
  void write(const platform::World& world, const platform::AddressSpace& space, Outcome* outcome) {
    SnapshotStream stream;
    Modules modules;
    if (!mark_roots(space) || !excuse(space) || !modules.gather(space) || !stream.open(plan_.fd))
      return begin_(false);
    begin_(true);
    heaprake_snapshot_end totals{};
    write_head(stream);
    write_reasons(stream);
    write_programs_words(stream);
    if (!write_modules(stream, modules, &module_numbers_) ||
        !write_threads(stream, threads_, pid_, &thread_numbers_))
      return;
    DeadFrames dead_frames;
    if (plan_.all) dead_frames.find(world, state.roots);
    const SnapshotView view{space,       state.roots, state.bits, modules,
                            word_rule(), plan_.all,   dead_frames};
    StringNumbers strings(stream);
    if (plan_.all)
      RootSection(view, stream, strings, module_numbers_, thread_numbers_).write(&totals);
    UsedStacks stacks;
    if (!stacks.prepare() || !BlockSection(view, stream, strings, stacks).write(&totals)) return;
    stacks.write(stream);
    outcome->cut = !stream.close(totals) && plan_.fd >= 0;
    outcome->completed = true;
    outcome->blocks = totals.unreachable_blocks;
    outcome->bytes = totals.unreachable_bytes;
  }

  // Unreachable blocks that the program told to ignore, and those of the process that this one was
  // forked from, keep what they reach. Of the latter nobody can tell any more which ones only
  // threads held that the fork has left behind.
  bool excuse(const platform::AddressSpace& space) const {
    const bool inherited = !plan_.inherited || heap::ledger::left_threads_behind();
    if (!may_excuse(inherited)) return true;
    RootSet excused;
    bool room = true;
    heap::for_each_block([&](const heap::Block& block) {
      const size_t granule = (block.address - heap::geometry.base) / heap::kGranule;
      if (!state.bits.covers(granule) || state.bits.test(granule)) return true;
      if (entry_of(block).excused(inherited)) room = excused.add_word(block.address);
      return room;
    });
    room = room && mark(excused, space, Filter::for_heap(word_rule()), 1, state.bits).complete;
    excused.clear();
    return room;
  }

  void write_head(SnapshotStream& stream) const {
    heaprake_snapshot_header header{};
    header.magic = HEAPRAKE_SNAPSHOT_MAGIC;
    header.version = HEAPRAKE_SNAPSHOT_VERSION;
    header.flags = (plan_.all ? HEAPRAKE_SNAPSHOT_ALL : 0) |
                   (heap::ledger::stack_count() ? HEAPRAKE_SNAPSHOT_WITH_STACKS : 0);
    header.pid = static_cast<uint32_t>(pid_);
    header.alignment = word_rule().alignment;
    header.taken_ns = platform::realtime_ns();
    header.uptime_ms = heap::ledger::kept()
                           ? heap::ledger::now_ms()
                           : (platform::monotonic_ns() - process_start_ns) / 1000000;
    header.heap_base = heap::geometry.base;
    stream.header(header);
    write_command(stream);
    write_origin(stream);
  }

  void write_programs_words(SnapshotStream& stream) const {
    write_text(stream, HEAPRAKE_SNAPSHOT_SUPPRESSIONS, plan_.suppressions);
    write_text(stream, HEAPRAKE_SNAPSHOT_OPTIONS, plan_.options);
  }

  static void write_reasons(SnapshotStream& stream) {
    if (const char* gap = state.roots.gap()) write_reason(stream, gap);
    const char* library = state.roots.hidden_by();
    if (!library) return;
    char text[160];
    snprintf(
        text, sizeof text,
        "%s keeps pointers in a form that cannot be seen: blocks that only these hold look lost",
        library);
    write_reason(stream, text);
  }

  static void tell_pause(const StoppedWorld& world) {
    char text[120];
    snprintf(text, sizeof text, "snapshot: the program stood still for %zu us",
             static_cast<size_t>((platform::monotonic_ns() - world.began_ns()) / 1000));
    tell(Event::kCollected, text);
  }

  const SnapshotPlan& plan_;
  platform::FunctionRef<void(bool)> begin_;
  const int pid_;
  const platform::World* world_ = nullptr;  // for the copy
  MappedArray<NotedThread> threads_;
  MappedArray<uint32_t> module_numbers_, thread_numbers_;
};

}  // namespace

void note_process_start() {
  process_start_ns = platform::monotonic_ns();
}

Outcome take_snapshot(const SnapshotPlan& plan, const platform::StoppedThread& self,
                      platform::FunctionRef<void(bool)> begin) {
  Outcome outcome;
  outcome.busy = !run_session(self, plan.wait ? Wait::kYes : Wait::kNo,
                              [&] { Snapshot(plan, begin).take(self, &outcome); });
  return outcome;
}

}  // namespace heaprake::collector
