// Addresses in pipes, sockets and queues.
#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "steps.h"

namespace carried {
namespace {

int ends[2];  // [0] is read, [1] written
constexpr auto kWord = static_cast<ssize_t>(sizeof(void*));

bool open_pipe() {
  return pipe(ends) == 0;
}
bool open_sockets(int type) {
  return socketpair(AF_UNIX, type, 0, ends) == 0;
}
bool write_word(void* block) {
  return write(ends[1], &block, sizeof block) == kWord;
}
void* read_word() {
  void* block = nullptr;
  return read(ends[0], &block, sizeof block) == kWord ? block : nullptr;
}

bool put_pipe(void* block) {
  return open_pipe() && write_word(block);
}

bool put_fifo(void* block) {
  char path[64];
  snprintf(path, sizeof path, "/tmp/heaprake-carried-%d", getpid());
  if (mkfifo(path, 0600)) return false;
  ends[0] = ends[1] = open(path, O_RDWR);
  unlink(path);
  return ends[0] >= 0 && write_word(block);
}

bool put_stream_write(void* block) {
  return open_sockets(SOCK_STREAM) && write_word(block);
}
bool put_send(void* block) {
  return open_sockets(SOCK_STREAM) && send(ends[1], &block, sizeof block, 0) == kWord;
}
// A look alone takes nothing out.
void* get_recv() {
  void* block = nullptr;
  if (recv(ends[0], &block, sizeof block, MSG_PEEK) != kWord) return nullptr;
  block = nullptr;
  collect();
  return recv(ends[0], &block, sizeof block, 0) == kWord ? block : nullptr;
}
bool put_sendto(void* block) {
  return open_sockets(SOCK_DGRAM) && sendto(ends[1], &block, sizeof block, 0, nullptr, 0) == kWord;
}
void* get_recvfrom() {
  void* block = nullptr;
  return recvfrom(ends[0], &block, sizeof block, MSG_WAITALL, nullptr, nullptr) == kWord ? block
                                                                                         : nullptr;
}

// The word is the second of two pieces.
struct Pieces {
  long head = 1;
  void* block = nullptr;
  iovec pieces[2] = {{&head, sizeof head}, {&block, sizeof block}};
  msghdr message{};
  Pieces() {
    message.msg_iov = pieces;
    message.msg_iovlen = 2;
  }
};

bool put_writev(void* block) {
  Pieces out;
  out.block = block;
  return open_pipe() && writev(ends[1], out.pieces, 2) == 2 * kWord;
}
void* get_readv() {
  Pieces in;
  return readv(ends[0], in.pieces, 2) == 2 * kWord ? in.block : nullptr;
}
bool put_sendmsg(void* block) {
  Pieces out;
  out.block = block;
  return open_sockets(SOCK_SEQPACKET) && sendmsg(ends[1], &out.message, 0) == 2 * kWord;
}
void* get_recvmsg() {
  Pieces in;
  return recvmsg(ends[0], &in.message, 0) == 2 * kWord ? in.block : nullptr;
}
bool put_sendmmsg(void* block) {
  Pieces first, second;
  second.block = block;
  mmsghdr both[2] = {{first.message, 0}, {second.message, 0}};
  return open_sockets(SOCK_DGRAM) && sendmmsg(ends[1], both, 2, 0) == 2;
}
void* get_recvmmsg() {
  Pieces first, second;
  mmsghdr both[2] = {{first.message, 0}, {second.message, 0}};
  return recvmmsg(ends[0], both, 2, 0, nullptr) == 2 ? second.block : nullptr;
}

// At an address that is a multiple of four only.
struct __attribute__((packed)) Packed {
  int tag;
  void* block;
};
bool put_packed(void* block) {
  const Packed out{7, block};
  return open_pipe() && write(ends[1], &out, sizeof out) == sizeof out;
}
void* get_packed() {
  Packed in{};
  return read(ends[0], &in, sizeof in) == sizeof in ? in.block : nullptr;
}

// The last word of a message longer than a page, in memory that the program maps itself and gives
// back as soon as it is done.
constexpr size_t kLong = 60000;
bool put_long(void* block) {
  auto* out = static_cast<char*>(
      mmap(nullptr, kLong, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  memcpy(out + kLong - sizeof block, &block, sizeof block);
  const bool sent = open_pipe() && write(ends[1], out, kLong) == static_cast<ssize_t>(kLong);
  munmap(out, kLong);
  return sent;
}
void* get_long() {
  auto* in = static_cast<char*>(
      mmap(nullptr, kLong, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  void* block = nullptr;
  if (read(ends[0], in, kLong) == static_cast<ssize_t>(kLong)) {
    memcpy(&block, in + kLong - sizeof block, sizeof block);
  }
  munmap(in, kLong);
  return block;
}

// The same word twice, in two messages; one is read, the other keeps the block.
bool put_twice(void* block) {
  return open_pipe() && write_word(block) && write_word(block);
}
void* get_twice() {
  if (!read_word()) return nullptr;
  collect();
  return read_word();
}

// Copied into a second pipe, and read from the first.
bool put_tee(void* block) {
  int first[2];
  if (pipe(first)) return false;
  ends[1] = first[1];
  if (!write_word(block) || !open_pipe()) return false;
  if (tee(first[0], ends[1], sizeof block, 0) != kWord) return false;
  void* read_first = nullptr;
  const bool came = read(first[0], &read_first, sizeof read_first) == kWord;
  return came && read_first == block;
}

mqd_t queue = -1;
bool open_queue() {
  char name[64];
  snprintf(name, sizeof name, "/heaprake-carried-%d", getpid());
  mq_attr attributes{};
  attributes.mq_maxmsg = 2;
  attributes.mq_msgsize = 64;
  queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
  mq_unlink(name);
  return queue >= 0;
}
bool put_mq(void* block) {
  return open_queue() && mq_send(queue, reinterpret_cast<char*>(&block), sizeof block, 0) == 0;
}
bool put_mq_timed(void* block) {
  const timespec until{4000000000, 0};
  return open_queue() &&
         mq_timedsend(queue, reinterpret_cast<char*>(&block), sizeof block, 0, &until) == 0;
}
void* get_mq() {
  char in[64];
  void* block = nullptr;
  if (mq_receive(queue, in, sizeof in, nullptr) == kWord) memcpy(&block, in, sizeof block);
  return block;
}

struct Letter {
  long type;
  void* block;
};
int letters = -1;
bool put_msg(void* block) {
  letters = msgget(IPC_PRIVATE, 0600);
  const Letter out{1, block};
  return letters >= 0 && msgsnd(letters, &out, sizeof out.block, 0) == 0;
}
void* get_msg() {
  Letter in{};
  const bool came = msgrcv(letters, &in, sizeof in.block, 0, 0) == kWord;
  msgctl(letters, IPC_RMID, nullptr);
  return came ? in.block : nullptr;
}

// Written, then forked: the child reads, and must find the block alive there.
void* get_in_child() {
  if (!fork()) {
    for (int i = 0; i < 3; ++i) collect();
    auto* got = static_cast<unsigned char*>(read_word());
    _exit(got && exists(got) && got[1] == 7 && write(ends[1], &got, sizeof got) == kWord ? 0 : 1);
  }
  int status = 1;
  wait(&status);
  expect(status == 0, "the child did not get the block");
  collect();
  return read_word();
}

}  // namespace

const Case kMessageCases[] = {
    {"pipe", put_pipe, read_word, nullptr},
    {"fifo", put_fifo, read_word, nullptr},
    {"socket_write", put_stream_write, read_word, nullptr},
    {"send", put_send, get_recv, nullptr},
    {"sendto", put_sendto, get_recvfrom, nullptr},
    {"writev", put_writev, get_readv, nullptr},
    {"sendmsg", put_sendmsg, get_recvmsg, nullptr},
    {"sendmmsg", put_sendmmsg, get_recvmmsg, nullptr},
    {"packed", put_packed, get_packed, nullptr},
    {"long_message", put_long, get_long, nullptr},
    {"twice", put_twice, get_twice, nullptr},
    {"tee", put_tee, read_word, nullptr},
    {"mq_send", put_mq, get_mq, nullptr},
    {"mq_timedsend", put_mq_timed, get_mq, nullptr},
    {"msgsnd", put_msg, get_msg, nullptr},
    {"fork", put_pipe, get_in_child, nullptr},
};
const size_t kMessageCaseCount = sizeof kMessageCases / sizeof *kMessageCases;

}  // namespace carried
