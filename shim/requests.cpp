#include "shim/requests.h"

#include "collector/collector.h"
#include "heaprake/protocol.h"
#include "platform/platform.h"
#include "shim/hunt.h"
#include "shim/summary.h"

namespace heaprake::shim {
namespace {

constexpr uint64_t kUntilTheEnd = UINT64_MAX;

// One request: who asked, and which thread was interrupted for it.
struct Request {
  int socket;
  platform::StoppedThread self;
  bool may_free;
};

void begin_answer(const Request& request, heaprake_status status, uint64_t length) {
  heaprake_answer answer = {HEAPRAKE_PROTOCOL_VERSION, static_cast<uint32_t>(status), length};
  platform::write_all(request.socket, &answer, sizeof answer);
}

heaprake_status status_of(const collector::Outcome& outcome) {
  if (outcome.busy) return HEAPRAKE_BUSY;
  bool off = collector::mode() == collector::Mode::kOff;
  return outcome.completed || off ? HEAPRAKE_OK : HEAPRAKE_GAVE_UP;
}

// Where the thread may have been inside the allocator nothing may be freed; its next allocation
// does it.
void answer_collect(const Request& request) {
  collector::Outcome outcome = collector::collect_in_handler(request.self, request.may_free);
  heaprake_status status = status_of(outcome);
  if (status != HEAPRAKE_OK) return begin_answer(request, status, 0);
  heaprake_collected collected = {outcome.blocks, outcome.bytes, outcome.sweep_pending ? 1u : 0u,
                                  static_cast<uint32_t>(collector::mode())};
  begin_answer(request, status, sizeof collected);
  platform::write_all(request.socket, &collected, sizeof collected);
}

void answer_stats(const Request& request) {
  gc_stats stats = current_stats();
  begin_answer(request, HEAPRAKE_OK, sizeof stats);
  platform::write_all(request.socket, &stats, sizeof stats);
}

// Small batches: this may be the program's alternate signal stack.
void answer_objects(const Request& request) {
  begin_answer(request, HEAPRAKE_OK, kUntilTheEnd);
  heaprake_object batch[32];
  size_t filled = 0;
  auto send = [&] {
    platform::write_all(request.socket, batch, filled * sizeof batch[0]);
    filled = 0;
  };
  heap::for_each_block([&](const heap::Block& block) {
    if (collector::is_garbage(block)) return true;
    batch[filled++] = {block.address, block.size};
    if (filled == sizeof batch / sizeof batch[0]) send();
    return true;
  });
  send();
}

void answer_snapshot(const Request& request, uint32_t flags) {
  collector::SnapshotPlan plan;
  plan.fd = request.socket;
  plan.all = (flags & HEAPRAKE_REQUEST_ALL) != 0;
  plan.copy = true;
  plan.wait = false;
  plan.explain = false;
  add_programs_words(&plan);
  const collector::Outcome outcome =
      collector::take_snapshot(plan, request.self, [&](bool follows) {
        begin_answer(request, follows ? HEAPRAKE_OK : HEAPRAKE_GAVE_UP, follows ? kUntilTheEnd : 0);
      });
  if (outcome.busy) begin_answer(request, HEAPRAKE_BUSY, 0);
}

void answer(const Request& request) {
  heaprake_request asked;
  if (!platform::read_all(request.socket, &asked, sizeof asked)) return;
  if (asked.version != HEAPRAKE_PROTOCOL_VERSION) {
    return begin_answer(request, HEAPRAKE_UNKNOWN, 0);
  }
  switch (asked.kind) {
    case HEAPRAKE_REQUEST_COLLECT:
      return answer_collect(request);
    case HEAPRAKE_REQUEST_STATS:
      return answer_stats(request);
    case HEAPRAKE_REQUEST_OBJECTS:
      return answer_objects(request);
    case HEAPRAKE_REQUEST_SNAPSHOT:
      return answer_snapshot(request, asked.flags);
    default:
      return begin_answer(request, HEAPRAKE_UNKNOWN, 0);
  }
}

}  // namespace

void on_request(uint64_t cookie, const void* ucontext, bool may_free) {
  if (collector::is_barred()) return;
  int socket = platform::connect_to_command(cookie);
  if (socket < 0) return;
  answer({socket, platform::thread_of_ucontext(ucontext), may_free});
  platform::close_file(socket);
}

}  // namespace heaprake::shim
