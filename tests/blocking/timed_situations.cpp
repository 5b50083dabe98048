// Calls that end by their time-out.
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <climits>

#include "tests/blocking/situation.h"

namespace {

constexpr timespec kTime{0, static_cast<long>(kTimeoutNs)};

timespec deadline(clockid_t clock) {
  timespec at;
  clock_gettime(clock, &at);
  at.tv_nsec += kTime.tv_nsec;
  if (at.tv_nsec >= 1000000000) {
    at.tv_nsec -= 1000000000;
    ++at.tv_sec;
  }
  return at;
}

std::shared_ptr<int> new_epoll() {
  return {new int(epoll_create1(0)), [](int* fd) {
            close(*fd);
            delete fd;
          }};
}

Register epoll_wait_("epoll_wait", [] {
  return timed(
      [fd = new_epoll()] {
        epoll_event event;
        return epoll_wait(*fd, &event, 1, kTimeoutMs);
      },
      0, kKept);
});
Register epoll_pwait_("epoll_pwait", [] {
  return timed(
      [fd = new_epoll()] {
        epoll_event event;
        sigset_t none;
        sigemptyset(&none);
        return epoll_pwait(*fd, &event, 1, kTimeoutMs, &none);
      },
      0, kKept);
});
Register epoll_pwait2_("epoll_pwait2", [] {
  return timed(
      [fd = new_epoll()] {
        epoll_event event;
        return epoll_pwait2(*fd, &event, 1, &kTime, nullptr);
      },
      0, kKept);
});
Register poll_("poll", [] {
  return timed(
      [pipe = Pair::pipe()] {
        pollfd wait{pipe->fd[0], POLLIN, 0};
        return poll(&wait, 1, kTimeoutMs);
      },
      0, kKept);
});
Register ppoll_("ppoll", [] {
  return timed(
      [pipe = Pair::pipe()] {
        pollfd wait{pipe->fd[0], POLLIN, 0};
        timespec time = kTime;
        const long result = ppoll(&wait, 1, &time, nullptr);
        return time.tv_nsec == kTime.tv_nsec ? result : -2;  // ppoll does not count down
      },
      0, kKept);
});
Register select_("select", [] {
  return timed(
      [pipe = Pair::pipe()] {
        fd_set read;
        FD_ZERO(&read);
        FD_SET(pipe->fd[0], &read);
        timeval time{0, kTimeoutMs * 1000};
        const long result = select(pipe->fd[0] + 1, &read, nullptr, nullptr, &time);
        return time.tv_sec == 0 && time.tv_usec == 0 ? result : -2;  // select does
      },
      0, kKept);
});
Register pselect_("pselect", [] {
  return timed(
      [pipe = Pair::pipe()] {
        fd_set read;
        FD_ZERO(&read);
        FD_SET(pipe->fd[0], &read);
        return pselect(pipe->fd[0] + 1, &read, nullptr, nullptr, &kTime, nullptr);
      },
      0, kKept);
});

Register nanosleep_("nanosleep", [] {
  return timed(
      [] {
        timespec left{7, 7};
        const long result = nanosleep(&kTime, &left);
        return left.tv_sec == 7 && left.tv_nsec == 7 ? result : -2;
      },
      0, kKept);
});
Register nanosleep_in_place_("nanosleep_in_place", [] {
  return timed(
      [] {
        timespec time = kTime;
        const long result = nanosleep(&time, &time);
        return time.tv_nsec == kTime.tv_nsec ? result : -2;
      },
      0, kKept);
});
Register clock_nanosleep_("clock_nanosleep", [] {
  return timed([] { return clock_nanosleep(CLOCK_MONOTONIC, 0, &kTime, nullptr); }, 0, kKept);
});
Register clock_nanosleep_until_("clock_nanosleep_until", [] {
  return timed(
      [] {
        const timespec at = deadline(CLOCK_MONOTONIC);
        return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
      },
      0, kKept);
});
Register usleep_("usleep",
                 [] { return timed([] { return usleep(kTimeoutMs * 1000); }, 0, kKept); });
Register sleep_("sleep", [] { return timed([] { return sleep(1); }, 0, kKept); });
Register thrd_sleep_("thrd_sleep",
                     [] { return timed([] { return thrd_sleep(&kTime, nullptr); }, 0, kKept); });

template <class Wait>
Situation timed_semaphore(Wait wait) {
  auto semaphore = std::make_shared<sem_t>();
  sem_init(semaphore.get(), 0, 0);
  return timed([=] { return wait(semaphore.get()); }, -1, ETIMEDOUT);
}
Register sem_timedwait_("sem_timedwait", [] {
  return timed_semaphore([](sem_t* semaphore) {
    const timespec at = deadline(CLOCK_REALTIME);
    return sem_timedwait(semaphore, &at);
  });
});
Register sem_clockwait_("sem_clockwait", [] {
  return timed_semaphore([](sem_t* semaphore) {
    const timespec at = deadline(CLOCK_MONOTONIC);
    return sem_clockwait(semaphore, CLOCK_MONOTONIC, &at);
  });
});

struct Condition {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
};
template <class Wait>
Situation timed_condition(clockid_t clock, Wait wait) {
  auto condition = std::make_shared<Condition>();
  return timed(
      [=] {
        pthread_mutex_lock(&condition->mutex);
        const timespec at = deadline(clock);
        int result = 0;
        while (result == 0) result = wait(condition.get(), &at);
        pthread_mutex_unlock(&condition->mutex);
        return result;
      },
      ETIMEDOUT, kKept);
}
Register pthread_cond_timedwait_("pthread_cond_timedwait", [] {
  return timed_condition(CLOCK_REALTIME, [](Condition* c, const timespec* at) {
    return pthread_cond_timedwait(&c->condition, &c->mutex, at);
  });
});
Register pthread_cond_clockwait_("pthread_cond_clockwait", [] {
  return timed_condition(CLOCK_MONOTONIC, [](Condition* c, const timespec* at) {
    return pthread_cond_clockwait(&c->condition, &c->mutex, CLOCK_MONOTONIC, at);
  });
});
Register cnd_timedwait_("cnd_timedwait", [] {
  return timed(
      [] {
        mtx_t mutex;
        cnd_t condition;
        mtx_init(&mutex, mtx_plain);
        cnd_init(&condition);
        mtx_lock(&mutex);
        const timespec at = deadline(CLOCK_REALTIME);
        int result = thrd_success;
        while (result == thrd_success) result = cnd_timedwait(&condition, &mutex, &at);
        mtx_unlock(&mutex);
        return result;
      },
      thrd_timedout, kKept);
});

Register sigtimedwait_("sigtimedwait", [] {
  return timed(
      [] {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &set, nullptr);
        return sigtimedwait(&set, nullptr, &kTime);
      },
      -1, EAGAIN);
});

Register semtimedop_("semtimedop", [] {
  std::shared_ptr<int> set(new int(semget(IPC_PRIVATE, 1, 0600)), [](int* id) {
    semctl(*id, 0, IPC_RMID);
    delete id;
  });
  return timed(
      [set] {
        sembuf take{0, -1, 0};
        return semtimedop(*set, &take, 1, &kTime);
      },
      -1, EAGAIN);
});

Register mq_timedreceive_("mq_timedreceive", [] {
  mq_attr attributes{};
  attributes.mq_maxmsg = 1;
  attributes.mq_msgsize = 8;
  const mqd_t queue = mq_open("/heaprake-timed", O_RDWR | O_CREAT, 0600, &attributes);
  mq_unlink("/heaprake-timed");
  return timed(
      [queue] {
        char message[8];
        const timespec at = deadline(CLOCK_REALTIME);
        const long result = mq_timedreceive(queue, message, sizeof message, nullptr, &at);
        const int error = errno;
        mq_close(queue);
        errno = error;
        return result;
      },
      -1, ETIMEDOUT);
});

// The kernel counts these time-outs in ticks, and a busy machine's ticks may be late.
Situation timed_by_socket(std::function<long()> call) {
  Situation situation = timed(std::move(call), -1, EAGAIN);
  situation.at_least_ns /= 2;
  return situation;
}
std::shared_ptr<Pair> sockets_with_timeout() {
  auto pair = Pair::sockets();
  const timeval time{0, kTimeoutMs * 1000};
  for (int fd : pair->fd) {
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  }
  return pair;
}
Register recv_timeout_("recv_with_SO_RCVTIMEO", [] {
  return timed_by_socket([pair = sockets_with_timeout()] {
    char byte;
    return recv(pair->fd[0], &byte, 1, 0);
  });
});
Register read_timeout_("read_with_SO_RCVTIMEO", [] {
  return timed_by_socket([pair = sockets_with_timeout()] {
    char byte;
    return read(pair->fd[0], &byte, 1);
  });
});
Register send_timeout_("send_with_SO_SNDTIMEO", [] {
  auto pair = sockets_with_timeout();
  pair->fill();
  return timed_by_socket([pair] { return send(pair->fd[1], "x", 1, 0); });
});
Register accept_timeout_("accept_with_SO_RCVTIMEO", [] {
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t));
  listen(listener, 1);
  const timeval time{0, kTimeoutMs * 1000};
  setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  return timed_by_socket([listener] {
    const long result = accept(listener, nullptr, nullptr);
    const int error = errno;
    close(listener);
    errno = error;
    return result;
  });
});

Register futex_("syscall_futex", [] {
  auto word = std::make_shared<int>(0);
  return timed(
      [word] {
        const timespec at = deadline(CLOCK_MONOTONIC);
        long result = 0;  // woken for nothing is always allowed
        while (result == 0) {
          result = syscall(SYS_futex, word.get(), FUTEX_WAIT_BITSET_PRIVATE, 0, &at, nullptr,
                           FUTEX_BITSET_MATCH_ANY);
        }
        return result;
      },
      -1, ETIMEDOUT);
});
Register syscall_epoll_wait_("syscall_epoll_wait", [] {
  return timed(
      [fd = new_epoll()] {
        epoll_event event;
        return syscall(SYS_epoll_wait, *fd, &event, 1, kTimeoutMs);
      },
      0, kKept);
});
Register syscall_pselect6_("syscall_pselect6", [] {
  return timed(
      [pipe = Pair::pipe()] {
        fd_set read;
        FD_ZERO(&read);
        FD_SET(pipe->fd[0], &read);
        timespec time = kTime;
        return syscall(SYS_pselect6, pipe->fd[0] + 1, &read, nullptr, nullptr, &time, nullptr);
      },
      0, kKept);
});

}  // namespace
