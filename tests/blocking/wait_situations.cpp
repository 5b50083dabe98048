// Calls that wait for other threads and processes, for locks and for signals.
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

#include "tests/blocking/situation.h"

namespace {

Register sem_wait_("sem_wait", [] {
  auto semaphore = std::make_shared<sem_t>();
  sem_init(semaphore.get(), 0, 0);
  return released([=] { return sem_wait(semaphore.get()); }, [=] { sem_post(semaphore.get()); }, 0);
});

struct Condition {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  bool met = false;
};
Register pthread_cond_wait_("pthread_cond_wait", [] {
  auto c = std::make_shared<Condition>();
  return released(
      [=] {
        pthread_mutex_lock(&c->mutex);
        int result = 0;
        while (!c->met && result == 0) result = pthread_cond_wait(&c->condition, &c->mutex);
        pthread_mutex_unlock(&c->mutex);
        return result;
      },
      [=] {
        pthread_mutex_lock(&c->mutex);
        c->met = true;
        pthread_cond_signal(&c->condition);
        pthread_mutex_unlock(&c->mutex);
      },
      0);
});
Register pthread_barrier_wait_("pthread_barrier_wait", [] {
  auto barrier = std::make_shared<pthread_barrier_t>();
  pthread_barrier_init(barrier.get(), nullptr, 2);
  return released(
      [=] {
        const int result = pthread_barrier_wait(barrier.get());
        return result == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : result;
      },
      [=] { pthread_barrier_wait(barrier.get()); }, 0);
});
Register pthread_join_("pthread_join", [] {
  auto gate = std::make_shared<std::atomic<bool>>(false);
  return released(
      [=] {
        pthread_t thread;
        pthread_create(
            &thread, nullptr,
            [](void* p) -> void* {
              while (!static_cast<std::atomic<bool>*>(p)->load()) usleep(1000);
              return reinterpret_cast<void*>(42);
            },
            gate.get());
        void* value = nullptr;
        const long result = pthread_join(thread, &value);
        return value == reinterpret_cast<void*>(42) ? result : -2;
      },
      [=] { *gate = true; }, 0);
});
Register futex_("syscall_futex_wake", [] {
  auto word = std::make_shared<std::atomic<int>>(0);
  return released(
      [=] {
        while (word->load() == 0) {
          const int kept = errno;
          if (syscall(SYS_futex, word.get(), FUTEX_WAIT_PRIVATE, 0, nullptr) != 0) {
            if (errno != EAGAIN) return -1;
            errno = kept;
          }
        }
        return 0;
      },
      [=] {
        *word = 1;
        syscall(SYS_futex, word.get(), FUTEX_WAKE_PRIVATE, 1);
      },
      0);
});

// A child that lives until the pipe is closed, then exits with 7.
struct Child {
  pid_t id;
  int gate[2];
  Child() {
    if (pipe2(gate, O_CLOEXEC) != 0) abort();
    id = fork();
    if (id == 0) {
      close(gate[1]);
      char byte;
      while (read(gate[0], &byte, 1) < 0) {
      }
      _exit(7);
    }
  }
  void end() { close(gate[1]); }
  ~Child() { close(gate[0]); }
};
template <class Wait>
Situation child_end(Wait wait) {
  auto child = std::make_shared<Child>();
  return released([=] { return wait(child->id); }, [=] { child->end(); }, 7);
}
Register waitpid_("waitpid", [] {
  return child_end([](pid_t id) {
    int status = 0;
    return waitpid(id, &status, 0) == id ? WEXITSTATUS(status) : -1;
  });
});
Register wait4_("wait4", [] {
  return child_end([](pid_t id) {
    int status = 0;
    return wait4(id, &status, 0, nullptr) == id ? WEXITSTATUS(status) : -1;
  });
});
Register wait3_("wait3", [] {
  return child_end([](pid_t id) {
    int status = 0;
    return wait3(&status, 0, nullptr) == id ? WEXITSTATUS(status) : -1;
  });
});
Register wait_("wait", [] {
  return child_end([](pid_t id) {
    int status = 0;
    return wait(&status) == id ? WEXITSTATUS(status) : -1;
  });
});
Register waitid_("waitid", [] {
  return child_end([](pid_t id) {
    siginfo_t info;
    return waitid(P_PID, static_cast<id_t>(id), &info, WEXITED) == 0 ? info.si_status : -1;
  });
});

// `take` blocks while a child holds the lock that `hold` took.
template <class Hold, class Take>
Situation locked(Hold hold, Take take) {
  char path[] = "/tmp/heaprake-lock-XXXXXX";
  const int fd = mkstemp(path);
  const std::string name = path;
  int ready[2], gate[2];
  if (pipe(ready) != 0 || pipe2(gate, O_CLOEXEC) != 0) abort();
  const pid_t child = fork();
  if (child == 0) {
    close(gate[1]);
    const int own = open(name.c_str(), O_RDWR);
    hold(own);
    (void)!write(ready[1], "x", 1);
    char byte;
    while (read(gate[0], &byte, 1) < 0) {
    }
    _exit(0);
  }
  char byte;
  (void)!read(ready[0], &byte, 1);
  close(ready[0]);
  close(ready[1]);
  close(gate[0]);
  return released([=] { return take(fd); },
                  [=] {
                    close(gate[1]);
                    waitpid(child, nullptr, 0);
                    unlink(name.c_str());
                  },
                  0);
}
Register flock_("flock", [] {
  return locked([](int fd) { flock(fd, LOCK_EX); }, [](int fd) { return flock(fd, LOCK_EX); });
});
Register lockf_("lockf", [] {
  return locked([](int fd) { (void)!lockf(fd, F_LOCK, 0); },
                [](int fd) { return lockf(fd, F_LOCK, 0); });
});
Register fcntl_("fcntl_F_SETLKW", [] {
  return locked([](int fd) { (void)!lockf(fd, F_LOCK, 0); },
                [](int fd) {
                  struct flock lock {};
                  lock.l_type = F_WRLCK;
                  lock.l_whence = SEEK_SET;
                  return fcntl(fd, F_SETLKW, &lock);
                });
});

std::shared_ptr<int> semaphore_set() {
  return {new int(semget(IPC_PRIVATE, 1, 0600)), [](int* id) {
            semctl(*id, 0, IPC_RMID);
            delete id;
          }};
}
Register semop_("semop", [] {
  auto set = semaphore_set();
  return released(
      [=] {
        sembuf take{0, -1, 0};
        return semop(*set, &take, 1);
      },
      [=] {
        sembuf give{0, 1, 0};
        semop(*set, &give, 1);
      },
      0);
});

struct Message {
  long type;
  char text[8192];
};
std::shared_ptr<int> message_queue() {
  return {new int(msgget(IPC_PRIVATE, 0600)), [](int* id) {
            msgctl(*id, IPC_RMID, nullptr);
            delete id;
          }};
}
Register msgrcv_("msgrcv", [] {
  auto queue = message_queue();
  return released(
      [=] {
        Message message;
        return msgrcv(*queue, &message, sizeof message.text, 0, 0);
      },
      [=] {
        Message message{1, "hello"};
        msgsnd(*queue, &message, 5, 0);
      },
      5);
});
Register msgsnd_("msgsnd", [] {
  auto queue = message_queue();
  static Message message{1, {}};
  while (msgsnd(*queue, &message, sizeof message.text, IPC_NOWAIT) == 0) {
  }
  return released([=] { return msgsnd(*queue, &message, sizeof message.text, 0); },
                  [=] {
                    Message got;
                    for (int i = 0; i < 2; ++i) msgrcv(*queue, &got, sizeof got.text, 0, 0);
                  },
                  0);
});

mqd_t small_queue() {
  mq_attr attributes{};
  attributes.mq_maxmsg = 1;
  attributes.mq_msgsize = 8;
  const mqd_t queue = mq_open("/heaprake-wait", O_RDWR | O_CREAT, 0600, &attributes);
  mq_unlink("/heaprake-wait");
  return queue;
}
Register mq_receive_("mq_receive", [] {
  const mqd_t queue = small_queue();
  return released(
      [=] {
        char message[8];
        return mq_receive(queue, message, sizeof message, nullptr);
      },
      [=] { mq_send(queue, "hello", 5, 0); }, 5);
});
Register mq_send_("mq_send", [] {
  const mqd_t queue = small_queue();
  mq_send(queue, "first", 5, 0);
  return released([=] { return mq_send(queue, "hello", 5, 0); },
                  [=] {
                    char message[8];
                    mq_receive(queue, message, sizeof message, nullptr);
                  },
                  0);
});

// The thread under test is told to stop waiting by a signal that it waits for.
template <class Wait>
Situation signalled(Wait wait) {
  auto waiter = std::make_shared<std::atomic<pthread_t>>();
  return released(
      [=] {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &set, nullptr);
        *waiter = pthread_self();
        return wait(&set);
      },
      [=] {
        while (waiter->load() == 0) usleep(1000);
        pthread_kill(*waiter, SIGUSR1);
      },
      SIGUSR1);
}
Register sigwait_("sigwait", [] {
  return signalled([](const sigset_t* set) {
    int signal = 0;
    return sigwait(set, &signal) == 0 ? signal : -1;
  });
});
Register sigwaitinfo_("sigwaitinfo", [] {
  return signalled([](const sigset_t* set) { return sigwaitinfo(set, nullptr); });
});
Register sigtimedwait_("sigtimedwait_for_signal", [] {
  return signalled([](const sigset_t* set) {
    const timespec time{100, 0};
    return sigtimedwait(set, nullptr, &time);
  });
});

}  // namespace
