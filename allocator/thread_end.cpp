// Giving a thread's mimalloc heap back when the thread ends.
//
// By a thread_local destructor, registered when the thread gets its heap: before any other
// destructor that allocates, so that it runs after them. Destructors of thread-specific data come
// later still; if one allocates, the thread gets a second heap, and a key of ours ends that. The
// key is also used when a registration would have to wait for the loader's lock. A program whose
// threads do neither never loses a key to us.
//
// If even the key comes too late (the fourth round of destructors) the heap is abandoned without
// mimalloc knowing. A later thread whose control block has the same address then looks like its
// owner: it frees into that heap's pages as its own, which is as good as being the owner, since the
// true one is gone; its blocks stay valid; only their pages' memory is not used for new blocks.
#include <mimalloc.h>
#include <pthread.h>

#include "allocator/heap.h"
#include "allocator/ledger_record.h"
#include "allocator/memory.h"
#include "allocator/mimalloc_host.h"
#include "allocator/thread_end.h"

extern "C" {
int __cxa_thread_atexit_impl(void (*destructor)(void*), void* object, void* dso_handle);
extern void* __dso_handle __attribute__((visibility("hidden")));
}

namespace heaprake::heap {
namespace {

__thread bool registered;  // the thread_local destructor, once a thread
__thread bool ending;      // inside mi_thread_done

bool some_thread_had_heap;  // only ever set

platform::Mutex key_lock;
pthread_key_t key;
bool have_key;

void end_thread(void*) {
  stop_polling();
  ending = true;
  mi_thread_done();
  ledger::thread_ended();
  ending = false;
}

bool use_key() {
  key_lock.lock();
  if (!have_key) have_key = pthread_key_create(&key, end_thread) == 0;
  key_lock.unlock();
  return have_key && pthread_setspecific(key, &key) == 0;
}

bool use_destructor() {
  if (registered || __atomic_load_n(&heaprake_loader_used, __ATOMIC_RELAXED)) return false;
  registered = true;  // first: the call allocates
  return __cxa_thread_atexit_impl(end_thread, nullptr, &__dso_handle) == 0;
}

}  // namespace

extern "C" {

bool heaprake_loader_used = false;

void heaprake_host_thread_has_heap() {
  // The main thread's heap is for good.
  if (ending || platform::thread_id() == platform::process_id()) return;
  __atomic_store_n(&some_thread_had_heap, true, __ATOMIC_RELAXED);
  take_over_count();
  if (!use_destructor()) use_key();
}

}  // extern "C"

bool had_threads() {
  return __atomic_load_n(&some_thread_had_heap, __ATOMIC_RELAXED);
}

void reset_thread_end_after_fork() {
  key_lock.reset_after_fork();
}

}  // namespace heaprake::heap
