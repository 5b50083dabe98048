#include "shim/start.h"

#include <link.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "allocator/heap.h"
#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/clean.h"
#include "shim/events.h"
#include "shim/exit.h"
#include "shim/first_use.h"
#include "shim/fork.h"
#include "shim/glibc_blocks.h"
#include "shim/hunt.h"
#include "shim/interposed.h"
#include "shim/line.h"
#include "shim/misuse.h"
#include "shim/options.h"
#include "shim/requests.h"
#include "shim/threads.h"

extern "C" {
// The linker's: where the library's image begins, and where its code ends.
extern const char __ehdr_start __attribute__((visibility("hidden")));
extern const char etext __attribute__((visibility("hidden")));
}

namespace heaprake::shim {
namespace {

// One lock a step: the process's step allocates (libc's tables of handlers), so that the heap's may
// come within it.
constinit platform::Mutex heap_lock;
constinit platform::Mutex process_lock;
constinit std::atomic<bool> process_started{false};

// While the loader relocates, thread-local variables hold zeros, and what is written there is lost.
// It calls the resolvers of functions (IFUNC) then, which may ask for memory: libc's serves them.
__attribute__((tls_model("initial-exec"))) constinit thread_local volatile bool is_relocated = true;

void heed_inherited_filter() {
  if (!platform::has_unknown_filter()) return;
  if (settings().filtered) return platform::trust_inherited_filter();
  if (settings().mode == collector::Mode::kHunt || settings().verbose) {
    Line line;
    line << "heaprake: a seccomp filter was there before this program began: nothing is collected "
            "or found (see option filtered).\n";
    line.to_error();
  }
  turn_off();
}

void initialise_heap() {
  read_options();
  heed_inherited_filter();
  heap::Config config;
  config.pad = settings().pad;
  config.ledger = settings().mode == collector::Mode::kHunt;
  config.stacks = settings().stacks;
  config.depth = settings().depth;
  config.own_code = {reinterpret_cast<uintptr_t>(&__ehdr_start),
                     reinterpret_cast<uintptr_t>(&etext)};
  config.huge_pages = settings().huge_pages;
  heap::set_misuse_handler(on_misuse);
  if (!heap::init(config)) {
    Line line;
    line << "heaprake: there is no address space for a heap of its own (see ulimit -v): libc's "
            "serves, "
            "and nothing is collected.\n";
    line.to_error();
  }
  start_cleaning();
}

// Our own variables and those of the heap hold addresses of blocks that nobody uses any more.
int claim_if_ours(dl_phdr_info* info, size_t, void*) {
  auto probe = reinterpret_cast<uintptr_t>(&process_started);
  bool ours = false;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    uintptr_t lo = info->dlpi_addr + segment.p_vaddr;
    ours |= segment.p_type == PT_LOAD && probe - lo < segment.p_memsz;
  }
  if (!ours) return 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || !(segment.p_flags & PF_W)) continue;
    uintptr_t lo = info->dlpi_addr + segment.p_vaddr;
    uintptr_t hi = lo + segment.p_memsz;
    constexpr uintptr_t kMask = platform::kPageSize - 1;
    platform::claim_own({lo & ~kMask, (hi + kMask) & ~kMask});
  }
  return 1;
}

void start_collector() {
  const Settings& chosen = settings();
  collector::Options options;
  options.mode = heap::ready() ? chosen.mode : collector::Mode::kOff;
  options.threshold = chosen.threshold;
  options.growth = chosen.growth;
  options.markers = chosen.markers;
  options.alignment = chosen.alignment;
  options.tags = chosen.tags;
  options.trust = chosen.trust;
  options.verify = chosen.verify;
  options.poison = chosen.poison;
  collector::set_listener(on_event);
  collector::note_process_start();
  collector::configure(options);
  if (options.mode == collector::Mode::kOff) return;
  note_libc_stacks();
  platform::install_stop_signal();
  platform::set_request_handler(on_request);
  platform::show_readiness_for_requests(true);
  heap::set_poll_hook(collector::poll);
  heap::set_rescue_hook(collector::rescue);
  collector::start();
}

void start_process_once() {
  int kept_errno = errno;
  start_heap();
  platform::start_threads();
  start_interposition(settings().mode != collector::Mode::kOff);
  dl_iterate_phdr(claim_if_ours, nullptr);
  register_fork_handlers();
  register_exit_handlers();
  start_collector();
  start_hunt();
  errno = kept_errno;
}

// 101 is the first priority that a program may use.
__attribute__((constructor(101))) void construct() {
  start_process();
}

}  // namespace

bool start_heap() {
  if (heap::ready()) return true;
  if (!is_relocated) return false;
  platform::notice_inherited_filter();
  if (heap_lock.held_by_me()) return false;
  heap_lock.lock();
  static bool tried = false;
  if (!tried) initialise_heap();
  tried = true;
  heap_lock.unlock();
  return heap::ready();
}

void* allocate_further(size_t size) {
  return with_heap([=] { return allocate_clean(size); }, [=] { return glibc_malloc(size); });
}

void start_process() {
  if (!is_relocated) return;
  platform::notice_inherited_filter();
  if (process_started.load(std::memory_order_acquire) || process_lock.held_by_me()) return;
  process_lock.lock();
  if (!process_started.load(std::memory_order_relaxed)) start_process_once();
  process_started.store(true, std::memory_order_release);
  process_lock.unlock();
}

}  // namespace heaprake::shim
