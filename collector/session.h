// The collector's lock, held by one thread at a time for a collection or a census, with all signals
// blocked and on a stack of our own: the caller may stand on a coroutine's few pages.
#pragma once

#include <atomic>

#include "platform/platform.h"

namespace heaprake::collector {

extern platform::Mutex collector_lock;
// No session may begin any more. Written by the holder of the lock.
extern std::atomic<bool> barred;

enum class Wait { kNo, kYes };

// Runs work() under the lock. false: this thread holds it already (a nested call), sessions are
// barred, or it is taken and `wait` says not to wait. While it waits the caller counts as stopped,
// with `self` as its roots.
bool run_session(const platform::StoppedThread& self, Wait wait,
                 platform::FunctionRef<void()> work);

// The same with the frames and registers of whoever calls this as the thread's roots.
bool run_session_here(Wait wait, platform::FunctionRef<void()> work);

}  // namespace heaprake::collector
