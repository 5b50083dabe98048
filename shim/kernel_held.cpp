// Calls that give the kernel an address to keep, or change where it must be asked for it. Thin:
// everything passes through, and the collector is told what may be out of its sight until the
// kernel gives it back.
#include <aio.h>
#include <linux/close_range.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>

#include "collector/collector.h"
#include "platform/platform.h"
#include "shim/export.h"
#include "shim/interposed.h"
#include "shim/processes.h"

HEAPRAKE_NEXT(int(int), unshare);
HEAPRAKE_NEXT(int(unsigned, unsigned, int), close_range);
HEAPRAKE_NEXT(int(int, unsigned long), arch_prctl);
HEAPRAKE_NEXT(int(int), epoll_create);
HEAPRAKE_NEXT(int(int), epoll_create1);
HEAPRAKE_NEXT(int(int, int, int, epoll_event*), epoll_ctl);
HEAPRAKE_NEXT(int(clockid_t, sigevent*, timer_t*), timer_create);
HEAPRAKE_NEXT(int(timer_t), timer_delete);
HEAPRAKE_NEXT(int(mqd_t, const sigevent*), mq_notify);
HEAPRAKE_NEXT(int(mqd_t), mq_close);
HEAPRAKE_NEXT(int(pid_t, int, sigval), sigqueue);
HEAPRAKE_NEXT(int(pthread_t, int, sigval), pthread_sigqueue);
HEAPRAKE_NEXT(int(aiocb*), aio_read);
HEAPRAKE_NEXT(int(aiocb64*), aio_read64);
HEAPRAKE_NEXT(int(aiocb*), aio_write);
HEAPRAKE_NEXT(int(aiocb64*), aio_write64);

namespace heaprake::shim {
namespace {

using collector::Registration;

uintptr_t word_of(const sigevent& event) {
  return reinterpret_cast<uintptr_t>(event.sigev_value.sival_ptr);
}

void note_own_table(bool own) {
  if (own && !in_vfork_child()) collector::note_own_table();
}

int note_new_base(int result) {
  if (!in_vfork_child()) platform::note_gs_base();
  return result;
}

int note_new_epoll(int fd) {
  if (fd >= 0) collector::note_new_epoll(fd);
  return fd;
}

uint64_t id_of(timer_t timer) {
  return reinterpret_cast<uint64_t>(timer);
}

// The event is the caller's until this returns, so what it says is seen meanwhile.
int note_timer(int result, const sigevent* event, const timer_t* timer) {
  if (result == 0 && event && !in_vfork_child()) {
    collector::add_registration(Registration::kTimer, id_of(*timer), word_of(*event));
  }
  return result;
}

int note_deleted_timer(int result, timer_t timer) {
  if (result == 0 && !in_vfork_child()) {
    collector::remove_registration(Registration::kTimer, id_of(timer));
  }
  return result;
}

int note_notification(int result, mqd_t queue, const sigevent* event) {
  if (result != 0 || in_vfork_child()) return result;
  const auto id = static_cast<uint64_t>(queue);
  if (!event) {
    collector::remove_registration(Registration::kQueue, id);
  } else {
    collector::add_registration(Registration::kQueue, id, word_of(*event));
  }
  return result;
}

int note_closed_queue(int result, mqd_t queue) {
  if (result == 0 && !in_vfork_child()) {
    collector::remove_registration(Registration::kQueue, static_cast<uint64_t>(queue));
  }
  return result;
}

// `call` queues a signal with that value, at once or later. Only this process can bring it back
// here.
template <class Call>
int queue_value(bool to_ourselves, uintptr_t value, Call call) {
  if (!to_ourselves || in_vfork_child()) return call();
  collector::signal_queued(value);
  const int result = call();
  if (result != 0) collector::signal_not_queued(value);
  return result;
}

// libc keeps the control block's address while the request runs, but not while the signal that
// tells its end is pending.
template <class Block>
int queue_request(int (*next)(Block*), Block* request) {
  const bool signals = request->aio_sigevent.sigev_notify == SIGEV_SIGNAL;
  return queue_value(signals, word_of(request->aio_sigevent), [&] { return next(request); });
}

}  // namespace

HEAPRAKE_EXPORT int unshare(int flags) noexcept {
  note_own_table((flags & CLONE_FILES) != 0);
  return heaprake_next_unshare(flags);
}
HEAPRAKE_EXPORT int close_range(unsigned first, unsigned last, int flags) noexcept {
  note_own_table((flags & CLOSE_RANGE_UNSHARE) != 0);
  return heaprake_next_close_range(first, last, flags);
}
HEAPRAKE_EXPORT int arch_prctl(int operation, unsigned long value) noexcept {
  return note_new_base(heaprake_next_arch_prctl(operation, value));
}

HEAPRAKE_EXPORT int epoll_create(int size) noexcept {
  return note_new_epoll(heaprake_next_epoll_create(size));
}
HEAPRAKE_EXPORT int epoll_create1(int flags) noexcept {
  return note_new_epoll(heaprake_next_epoll_create1(flags));
}
HEAPRAKE_EXPORT int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  collector::note_epoll(epoll);
  return heaprake_next_epoll_ctl(epoll, operation, fd, event);
}

HEAPRAKE_EXPORT int timer_create(clockid_t clock, sigevent* event, timer_t* timer) noexcept {
  return note_timer(heaprake_next_timer_create(clock, event, timer), event, timer);
}
HEAPRAKE_EXPORT int timer_delete(timer_t timer) noexcept {
  return note_deleted_timer(heaprake_next_timer_delete(timer), timer);
}

HEAPRAKE_EXPORT int mq_notify(mqd_t queue, const sigevent* event) noexcept {
  return note_notification(heaprake_next_mq_notify(queue, event), queue, event);
}
HEAPRAKE_EXPORT int mq_close(mqd_t queue) noexcept {
  return note_closed_queue(heaprake_next_mq_close(queue), queue);
}

HEAPRAKE_EXPORT int sigqueue(pid_t process, int signal, sigval value) noexcept {
  return queue_value(process == platform::process_id(),
                     reinterpret_cast<uintptr_t>(value.sival_ptr),
                     [=] { return heaprake_next_sigqueue(process, signal, value); });
}
HEAPRAKE_EXPORT int pthread_sigqueue(pthread_t thread, int signal, sigval value) noexcept {
  return queue_value(true, reinterpret_cast<uintptr_t>(value.sival_ptr),
                     [=] { return heaprake_next_pthread_sigqueue(thread, signal, value); });
}

HEAPRAKE_EXPORT int aio_read(aiocb* request) noexcept {
  return queue_request(heaprake_next_aio_read, request);
}
HEAPRAKE_EXPORT int aio_read64(aiocb64* request) noexcept {
  return queue_request(heaprake_next_aio_read64, request);
}
HEAPRAKE_EXPORT int aio_write(aiocb* request) noexcept {
  return queue_request(heaprake_next_aio_write, request);
}
HEAPRAKE_EXPORT int aio_write64(aiocb64* request) noexcept {
  return queue_request(heaprake_next_aio_write64, request);
}

}  // namespace heaprake::shim
