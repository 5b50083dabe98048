// Addresses in timers and queued signals.
#include <aio.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "steps.h"

namespace carried {
namespace {

const int kSignal = SIGRTMIN + 3;
void* volatile received;

void on_signal(int, siginfo_t* info, void*) {
  received = info->si_value.sival_ptr;
}
void handle() {
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO;
  sigaction(kSignal, &action, nullptr);
}
void block_signal(int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, kSignal);
  sigprocmask(how, &set, nullptr);
}
void* take_received() {
  void* block = received;
  received = nullptr;
  return block;
}
void* deliver() {
  block_signal(SIG_UNBLOCK);
  block_signal(SIG_BLOCK);
  return take_received();
}

sigval value_of(void* block) {
  sigval value;
  value.sival_ptr = block;
  return value;
}
sigevent event_of(void* block) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = kSignal;
  event.sigev_value.sival_ptr = block;
  return event;
}

bool put_sigqueue(void* block) {
  handle();
  block_signal(SIG_BLOCK);
  return sigqueue(getpid(), kSignal, value_of(block)) == 0;
}
bool put_pthread_sigqueue(void* block) {
  handle();
  block_signal(SIG_BLOCK);
  return pthread_sigqueue(pthread_self(), kSignal, value_of(block)) == 0;
}
bool put_raw(void* block) {
  handle();
  block_signal(SIG_BLOCK);
  siginfo_t info{};
  info.si_signo = kSignal;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_value.sival_ptr = block;
  return syscall(SYS_rt_sigqueueinfo, getpid(), kSignal, &info) == 0;
}
void* get_sigwaitinfo() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, kSignal);
  siginfo_t info{};
  return sigwaitinfo(&set, &info) == kSignal ? info.si_value.sival_ptr : nullptr;
}
void* get_sigtimedwait() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, kSignal);
  siginfo_t info{};
  const timespec limit{5, 0};
  return sigtimedwait(&set, &info, &limit) == kSignal ? info.si_value.sival_ptr : nullptr;
}
void* get_signalfd() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, kSignal);
  const int fd = signalfd(-1, &set, 0);
  signalfd_siginfo info{};
  const bool came = read(fd, &info, sizeof info) == sizeof info;
  return came ? reinterpret_cast<void*>(info.ssi_ptr) : nullptr;
}

timer_t timer;
bool make_timer(void* block, int notify) {
  handle();
  block_signal(SIG_BLOCK);
  sigevent event = event_of(block);
  event.sigev_notify = notify;
  event._sigev_un._tid = static_cast<int>(syscall(SYS_gettid));
  return timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
}
bool put_timer(void* block) {
  return make_timer(block, SIGEV_SIGNAL);
}
bool put_thread_timer(void* block) {
  return make_timer(block, SIGEV_THREAD_ID);
}
void* get_timer() {
  const itimerspec soon{{0, 0}, {0, 1000000}};
  timer_settime(timer, 0, &soon, nullptr);
  return get_sigwaitinfo();
}
void end_timer() {
  timer_delete(timer);
}

mqd_t queue = -1;
bool put_notify(void* block) {
  handle();
  block_signal(SIG_BLOCK);
  char name[64];
  snprintf(name, sizeof name, "/heaprake-notify-%d", getpid());
  mq_attr attributes{};
  attributes.mq_maxmsg = 1;
  attributes.mq_msgsize = 8;
  queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
  mq_unlink(name);
  const sigevent event = event_of(block);
  return queue >= 0 && mq_notify(queue, &event) == 0;
}
void* get_notify() {
  mq_send(queue, "hello", 5, 0);
  return deliver();
}
void end_notify() {
  mq_close(queue);
}

// The request is in memory that libc's own lists lead to; once it is over, its value lies in a
// pending signal alone.
int pipe_ends[2];
aiocb* request;
bool put_aio(void* block) {
  handle();
  block_signal(SIG_BLOCK);
  if (pipe(pipe_ends)) return false;
  request = static_cast<aiocb*>(calloc(1, sizeof(aiocb) + 64));
  request->aio_fildes = pipe_ends[0];
  request->aio_buf = request + 1;
  request->aio_nbytes = 5;
  request->aio_sigevent = event_of(block);
  return aio_read(request) == 0;
}
void* get_aio() {
  collect();
  if (write(pipe_ends[1], "hello", 5) != 5) return nullptr;
  // Until the signal is pending and libc is done with the request.
  for (sigset_t pending;;) {
    sigpending(&pending);
    if (sigismember(&pending, kSignal)) break;
    usleep(1000);
  }
  // libc keeps the request in a list of old ones.
  memset(static_cast<void*>(request), 0, sizeof *request);
  for (int i = 0; i < 3; ++i) collect();
  return deliver();
}

}  // namespace

const Case kSignalCases[] = {
    {"sigqueue", put_sigqueue, deliver, nullptr},
    {"pthread_sigqueue", put_pthread_sigqueue, deliver, nullptr},
    {"rt_sigqueueinfo", put_raw, deliver, nullptr},
    {"sigwaitinfo", put_sigqueue, get_sigwaitinfo, nullptr},
    {"sigtimedwait", put_sigqueue, get_sigtimedwait, nullptr},
    {"signalfd", put_sigqueue, get_signalfd, nullptr},
    {"timer", put_timer, get_timer, end_timer},
    {"timer_thread_id", put_thread_timer, get_timer, end_timer},
    {"mq_notify", put_notify, get_notify, end_notify},
    {"aio_read", put_aio, get_aio, nullptr},
};
const size_t kSignalCaseCount = sizeof kSignalCases / sizeof *kSignalCases;

}  // namespace carried
