/* The command's side of heaprake/protocol.h, in a child process of the program that is asked.
 *
 * start_commander() once, before anything else; then one request at a time by ask_here or
 * ask_in_call. */
#ifndef HEAPRAKE_TESTS_COMMANDER_H
#define HEAPRAKE_TESTS_COMMANDER_H

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "alive.h"
#include "heaprake/protocol.h"

struct task {
  uint32_t kind;
  pid_t signalled; /* the thread that the commander signals; 0: the asker does it itself */
};

struct result {
  int connected; /* the program answered */
  uint32_t status;
  size_t length; /* of what followed the answer */
  struct heaprake_collected collected;
};

static int tasks[2], nonces[2], results[2];

/* Not through libc, where the thread would count as waiting in a call. */
static inline void queue_request(pid_t process, pid_t thread, uint64_t nonce) {
  siginfo_t info;
  memset(&info, 0, sizeof info);
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_ptr = (void*)(HEAPRAKE_COOKIE_TAG << 48 | nonce);
  long result = SYS_rt_tgsigqueueinfo;
  register siginfo_t* fourth __asm__("r10") = &info;
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(process), "S"(thread), "d"(HEAPRAKE_SIGNAL), "r"(fourth)
                   : "rcx", "r11", "memory");
  MUST(result == 0);
}

static inline int listen_at(uint64_t nonce) {
  struct sockaddr_un address;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s%012lx",
                        HEAPRAKE_SOCKET_PREFIX, (unsigned long)nonce);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  MUST(listener >= 0);
  MUST(bind(listener, (struct sockaddr*)&address,
            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) == 0);
  MUST(listen(listener, 1) == 0);
  return listener;
}

static inline void read_answer(int peer, struct result* result) {
  static char buffer[65536];
  struct heaprake_answer answer;
  result->connected = read(peer, &answer, sizeof answer) == sizeof answer;
  if (!result->connected) return;
  result->status = answer.status;
  for (ssize_t n; (n = read(peer, buffer, sizeof buffer)) > 0; result->length += (size_t)n) {
    if (result->length == 0 && n == sizeof result->collected)
      memcpy(&result->collected, buffer, sizeof result->collected);
  }
}

static inline void serve_tasks(pid_t program) {
  struct task task;
  uint64_t nonce = (uint64_t)getpid() << 16;
  while (read(tasks[0], &task, sizeof task) == sizeof task) {
    struct result result;
    memset(&result, 0, sizeof result);
    int listener = listen_at(++nonce);
    if (task.signalled) {
      queue_request(program, task.signalled, nonce);
    } else {
      MUST(write(nonces[1], &nonce, sizeof nonce) == sizeof nonce);
    }
    struct pollfd waiting = {listener, POLLIN, 0};
    if (poll(&waiting, 1, -1) == 1) {
      int peer = accept(listener, NULL, NULL);
      struct heaprake_request request = {HEAPRAKE_PROTOCOL_VERSION, task.kind, 0, 0};
      MUST(write(peer, &request, sizeof request) == sizeof request);
      read_answer(peer, &result);
      close(peer);
    }
    close(listener);
    MUST(write(results[1], &result, sizeof result) == sizeof result);
  }
}

static inline void start_commander(void) {
  pid_t program = getpid();
  MUST(pipe(tasks) == 0 && pipe(nonces) == 0 && pipe(results) == 0);
  pid_t child = fork();
  MUST(child >= 0);
  if (child) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  close(tasks[1]);
  serve_tasks(program);
  _exit(0);
}

/* The request comes when the calling thread is in no call of libc's: it might be in the allocator.
 */
static inline struct result ask_here(enum heaprake_request_kind kind) {
  struct task task = {kind, 0};
  struct result result;
  uint64_t nonce;
  MUST(write(tasks[1], &task, sizeof task) == sizeof task);
  MUST(read(nonces[0], &nonce, sizeof nonce) == sizeof nonce);
  queue_request(getpid(), (pid_t)syscall(SYS_gettid), nonce);
  MUST(read(results[0], &result, sizeof result) == sizeof result);
  MUST(result.connected);
  return result;
}

/* The request to `thread` comes some time while the caller waits for its result. */
static inline struct result ask_in_call(enum heaprake_request_kind kind, pid_t thread) {
  struct task task = {kind, thread};
  struct result result;
  MUST(write(tasks[1], &task, sizeof task) == sizeof task);
  MUST(read(results[0], &result, sizeof result) == sizeof result);
  MUST(result.connected);
  return result;
}

#endif
