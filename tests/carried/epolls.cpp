// Addresses in epoll registrations, and in the rings of io_uring.
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "steps.h"

namespace carried {
namespace {

int epoll = -1, ends[2];

bool add(int fd, void* data, int operation) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = data;
  return epoll_ctl(epoll, operation, fd, &event) == 0;
}
bool open_epoll() {
  epoll = epoll_create1(0);
  return epoll >= 0 && pipe(ends) == 0;
}
bool put_add(void* block) {
  return open_epoll() && add(ends[0], block, EPOLL_CTL_ADD);
}
bool put_modified(void* block) {
  return open_epoll() && add(ends[0], nullptr, EPOLL_CTL_ADD) && add(ends[0], block, EPOLL_CTL_MOD);
}
bool put_raw(void* block) {
  if (!open_epoll()) return false;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = block;
  return syscall(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, ends[0], &event) == 0;
}
// The number that was used is closed, and used for another epoll.
bool put_moved(void* block) {
  if (!put_add(block)) return false;
  const int moved = fcntl(epoll, F_DUPFD, 100);
  close(epoll);
  expect(epoll_create1(0) == epoll, "the number is not used again");
  epoll_event event{};
  epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);
  epoll = moved;
  return moved >= 0;
}
bool put_duplicate(void* block) {
  if (!put_add(block)) return false;
  const int moved = dup(epoll);
  close(epoll);
  epoll = moved;
  return moved >= 0;
}
STEP void* wait_for_one() {
  epoll_event events[16];
  void* found = nullptr;
  if (write(ends[1], "x", 1) != 1) return nullptr;
  for (int round = 0; round < 2000 && !found; ++round) {
    const int count = epoll_wait(epoll, events, 16, 1000);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.ptr) found = events[i].data.ptr;
    }
  }
  return found;
}
// In a message to itself, while nobody has it open.
struct Parcel {
  char byte = 'x';
  iovec piece{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  Parcel() {
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
  }
};
int sockets[2];
bool pass(void* block, ssize_t (*send)(msghdr*)) {
  if (!put_add(block) || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets)) return false;
  Parcel parcel;
  cmsghdr* header = CMSG_FIRSTHDR(&parcel.message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof epoll);
  memcpy(CMSG_DATA(header), &epoll, sizeof epoll);
  const bool sent = send(&parcel.message) == 1;
  close(epoll);
  return sent;
}
bool put_passed(void* block) {
  return pass(block, [](msghdr* message) { return sendmsg(sockets[0], message, 0); });
}
bool put_passed_many(void* block) {
  return pass(block, [](msghdr* message) -> ssize_t {
    mmsghdr one{*message, 0};
    return sendmmsg(sockets[0], &one, 1, 0);
  });
}
void* get_passed() {
  Parcel parcel;
  if (recvmsg(sockets[1], &parcel.message, 0) != 1) return nullptr;
  memcpy(&epoll, CMSG_DATA(CMSG_FIRSTHDR(&parcel.message)), sizeof epoll);
  collect();
  return wait_for_one();
}

bool put_many(void* block) {
  constexpr int kMany = 10000;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < kMany + 100) return errno = EMFILE, false;
  if (!open_epoll()) return false;
  for (int i = 0; i < kMany; ++i) {
    const int copy = fcntl(ends[0], F_DUPFD, 0);
    if (!add(copy, i == kMany / 2 ? block : nullptr, EPOLL_CTL_ADD)) return false;
  }
  return true;
}

void* get_in_child() {
  if (!fork()) {
    for (int i = 0; i < 3; ++i) collect();
    auto* got = static_cast<unsigned char*>(wait_for_one());
    _exit(got && exists(got) && got[1] == 7 ? 0 : 1);
  }
  int status = 1;
  wait(&status);
  expect(status == 0, "the child did not get the block");
  collect();
  return wait_for_one();
}
void end_delete() {
  epoll_ctl(epoll, EPOLL_CTL_DEL, ends[0], nullptr);
}
void end_close() {
  close(epoll);
}

// ---- io_uring, by raw system calls: one poll request on a pipe.

struct Ring {
  int fd;
  unsigned char *submissions, *completions;
  io_uring_sqe* entries;
  io_uring_params made;
} ring;

void* map_ring(size_t bytes, off_t what) {
  return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd, what);
}
unsigned* field(unsigned char* base, unsigned offset) {
  return reinterpret_cast<unsigned*>(base + offset);
}
bool open_ring() {
  ring.fd = static_cast<int>(syscall(SYS_io_uring_setup, 4, &ring.made));
  if (ring.fd < 0 || pipe(ends)) return false;
  const io_uring_params& made = ring.made;
  ring.submissions = static_cast<unsigned char*>(
      map_ring(made.sq_off.array + made.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING));
  ring.completions = static_cast<unsigned char*>(
      map_ring(made.cq_off.cqes + made.cq_entries * sizeof(io_uring_cqe), IORING_OFF_CQ_RING));
  ring.entries =
      static_cast<io_uring_sqe*>(map_ring(made.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
  return ring.submissions != MAP_FAILED && ring.completions != MAP_FAILED &&
         ring.entries != MAP_FAILED;
}
bool put_submitted(void* block) {
  if (!open_ring()) return false;
  io_uring_sqe& entry = ring.entries[0];
  memset(&entry, 0, sizeof entry);
  entry.opcode = IORING_OP_POLL_ADD;
  entry.fd = ends[0];
  entry.poll32_events = POLLIN;
  entry.user_data = reinterpret_cast<uint64_t>(block);
  *field(ring.submissions, ring.made.sq_off.array) = 0;
  __atomic_store_n(field(ring.submissions, ring.made.sq_off.tail), 1, __ATOMIC_RELEASE);
  return syscall(SYS_io_uring_enter, ring.fd, 1, 0, 0, nullptr, 0) == 1;
}
// Completed as well, and the submission's place used again.
bool put_completed(void* block) {
  if (!put_submitted(block) || write(ends[1], "x", 1) != 1) return false;
  syscall(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, nullptr, 0);
  memset(&ring.entries[0], 0, sizeof ring.entries[0]);
  return true;
}
void* get_completion() {
  if (write(ends[1], "x", 1) != 1) return nullptr;
  syscall(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, nullptr, 0);
  auto* completion = reinterpret_cast<io_uring_cqe*>(ring.completions + ring.made.cq_off.cqes);
  return reinterpret_cast<void*>(completion->user_data);
}
void end_ring() {
  memset(&ring.entries[0], 0, sizeof ring.entries[0]);
  memset(ring.completions + ring.made.cq_off.cqes, 0, sizeof(io_uring_cqe));
}

}  // namespace

const Case kEpollCases[] = {
    {"epoll_add", put_add, wait_for_one, end_delete},
    {"epoll_modify", put_modified, wait_for_one, end_close},
    {"epoll_raw", put_raw, wait_for_one, end_close},
    {"epoll_duplicate", put_duplicate, wait_for_one, end_close},
    {"epoll_moved", put_moved, wait_for_one, end_close},
    {"epoll_10000", put_many, wait_for_one, end_close},
    {"epoll_fork", put_add, get_in_child, end_close},
    {"epoll_passed", put_passed, get_passed, end_close},
    {"epoll_passed_many", put_passed_many, get_passed, end_close},
    {"io_uring_submitted", put_submitted, get_completion, end_ring},
    {"io_uring_completed", put_completed, get_completion, end_ring},
};
const size_t kEpollCaseCount = sizeof kEpollCases / sizeof *kEpollCases;

}  // namespace carried
