// Calls that end because data, room or a connection has come.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <netinet/in.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "tests/blocking/situation.h"

namespace {

using Source = std::shared_ptr<Pair>;

// `call` gets the descriptor that will have five bytes to read.
template <class Call>
Situation arrival(Source pair, Call call, long result = 5) {
  return released([=] { return call(pair->fd[0]); }, [=] { (void)!write(pair->fd[1], "hello", 5); },
                  result);
}

Register read_("read", [] {
  return arrival(Pair::pipe(), [](int fd) {
    char buffer[16];
    return read(fd, buffer, sizeof buffer);
  });
});
Register readv_("readv", [] {
  return arrival(Pair::pipe(), [](int fd) {
    char first[2], second[14];
    const iovec parts[] = {{first, 2}, {second, 14}};
    return readv(fd, parts, 2);
  });
});
Register recv_("recv", [] {
  return arrival(Pair::sockets(), [](int fd) {
    char buffer[16];
    return recv(fd, buffer, sizeof buffer, 0);
  });
});
Register recvfrom_("recvfrom", [] {
  return arrival(Pair::sockets(), [](int fd) {
    char buffer[16];
    sockaddr_un from;
    socklen_t length = sizeof from;
    return recvfrom(fd, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &length);
  });
});
Register recvmsg_("recvmsg", [] {
  return arrival(Pair::sockets(), [](int fd) {
    char buffer[16];
    iovec part{buffer, sizeof buffer};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    return recvmsg(fd, &message, 0);
  });
});
Register recvmmsg_("recvmmsg", [] {
  return arrival(
      Pair::sockets(),
      [](int fd) {
        char buffer[16];
        iovec part{buffer, sizeof buffer};
        mmsghdr message{};
        message.msg_hdr.msg_iov = &part;
        message.msg_hdr.msg_iovlen = 1;
        return recvmmsg(fd, &message, 1, 0, nullptr);
      },
      1);
});
Register recv_waitall_("recv_MSG_WAITALL", [] {
  auto pair = Pair::sockets();
  (void)!write(pair->fd[1], "first ", 6);
  return arrival(
      pair,
      [](int fd) {
        char buffer[11];
        const long got = recv(fd, buffer, sizeof buffer, MSG_WAITALL);
        return std::string(buffer, sizeof buffer) == "first hello" ? got : -2;
      },
      11);
});
Register poll_("poll_for_data", [] {
  return arrival(
      Pair::pipe(),
      [](int fd) {
        pollfd wait{fd, POLLIN, 0};
        return poll(&wait, 1, -1);
      },
      1);
});
Register ppoll_("ppoll_for_data", [] {
  return arrival(
      Pair::pipe(),
      [](int fd) {
        pollfd wait{fd, POLLIN, 0};
        return ppoll(&wait, 1, nullptr, nullptr);
      },
      1);
});
Register select_("select_for_data", [] {
  return arrival(
      Pair::pipe(),
      [](int fd) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(fd, &set);
        return select(fd + 1, &set, nullptr, nullptr, nullptr);
      },
      1);
});
Register pselect_("pselect_for_data", [] {
  return arrival(
      Pair::pipe(),
      [](int fd) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(fd, &set);
        return pselect(fd + 1, &set, nullptr, nullptr, nullptr, nullptr);
      },
      1);
});
template <class Wait>
Situation epoll_arrival(Wait wait) {
  return arrival(
      Pair::pipe(),
      [=](int fd) {
        const int epoll = epoll_create1(0);
        epoll_event event{};
        event.events = EPOLLIN;
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        const long result = wait(epoll, &event);
        close(epoll);
        return result;
      },
      1);
}
Register epoll_wait_("epoll_wait_for_data", [] {
  return epoll_arrival([](int fd, epoll_event* event) { return epoll_wait(fd, event, 1, -1); });
});
Register epoll_pwait_("epoll_pwait_for_data", [] {
  return epoll_arrival(
      [](int fd, epoll_event* event) { return epoll_pwait(fd, event, 1, -1, nullptr); });
});
Register epoll_pwait2_("epoll_pwait2_for_data", [] {
  return epoll_arrival(
      [](int fd, epoll_event* event) { return epoll_pwait2(fd, event, 1, nullptr, nullptr); });
});
Register syscall_epoll_("syscall_epoll_for_data", [] {
  return epoll_arrival([](int fd, epoll_event* event) {
    return syscall(SYS_epoll_pwait, fd, event, 1, -1, nullptr, 8);
  });
});
Register splice_("splice", [] {
  auto sink = Pair::pipe();
  return arrival(Pair::pipe(),
                 [=](int fd) { return splice(fd, nullptr, sink->fd[1], nullptr, 16, 0); });
});

// `call` gets a full descriptor to write `bytes` to; they are read when it has waited.
template <class Call>
Situation room(Source pair, size_t bytes, Call call, long result) {
  pair->fill();
  return released([=] { return call(pair->fd[1]); },
                  [=] { drain(pair->fd[0], bytes + (size_t{4} << 20)); }, result);
}
constexpr size_t kMuch = 1 << 20;
// After its last byte nothing comes, so that the reader ends.
template <class Call>
Situation much(Source pair, Call call) {
  return room(
      pair, kMuch,
      [=](int fd) {
        const std::string data(kMuch, 'x');
        const long result = call(fd, data);
        const int error = errno;
        shutdown(fd, SHUT_WR);
        const int gone = dup(pair->fd[0]);
        dup2(gone, fd);
        close(gone);
        errno = error;
        return result;
      },
      kMuch);
}
Register write_("write_1MiB_to_pipe", [] {
  return much(Pair::pipe(),
              [](int fd, const std::string& data) { return write(fd, data.data(), data.size()); });
});
Register write_socket_("write_1MiB_to_socket", [] {
  return much(Pair::sockets(),
              [](int fd, const std::string& data) { return write(fd, data.data(), data.size()); });
});
Register send_("send_1MiB", [] {
  return much(Pair::sockets(), [](int fd, const std::string& data) {
    return send(fd, data.data(), data.size(), 0);
  });
});
Register sendto_("sendto_1MiB", [] {
  return much(Pair::sockets(), [](int fd, const std::string& data) {
    return sendto(fd, data.data(), data.size(), 0, nullptr, 0);
  });
});
Register sendmsg_("sendmsg_1MiB", [] {
  return much(Pair::sockets(), [](int fd, const std::string& data) {
    iovec part{const_cast<char*>(data.data()), data.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    return sendmsg(fd, &message, 0);
  });
});
Register writev_("writev_1MiB", [] {
  return much(Pair::pipe(), [](int fd, const std::string& data) {
    char* half = const_cast<char*>(data.data());
    const iovec parts[] = {{half, kMuch / 2}, {half + kMuch / 2, kMuch / 2}};
    return writev(fd, parts, 2);
  });
});
Register getrandom_("getrandom_1MiB", [] {
  return released(
      [] {
        std::string data(kMuch, 0);
        return getrandom(data.data(), data.size(), 0);
      },
      [] {}, kMuch);
});

struct Listener {
  int fd;
  sockaddr_in address{};
  Listener() : fd(socket(AF_INET, SOCK_STREAM, 0)) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    bind(fd, reinterpret_cast<sockaddr*>(&address), length);
    listen(fd, 1);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  }
  ~Listener() { close(fd); }
  long connect_to(int from) const {
    return connect(from, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
};
template <class Accept>
Situation acceptance(Accept accept) {
  auto listener = std::make_shared<Listener>();
  auto client = std::make_shared<int>(socket(AF_INET, SOCK_STREAM, 0));
  return released(
      [=] {
        const int fd = accept(listener->fd);
        if (fd < 0) return -1;
        close(fd);
        return 0;
      },
      [=] {
        listener->connect_to(*client);
        close(*client);
      },
      0);
}
Register accept_("accept",
                 [] { return acceptance([](int fd) { return accept(fd, nullptr, nullptr); }); });
Register accept4_("accept4", [] {
  return acceptance([](int fd) { return accept4(fd, nullptr, nullptr, SOCK_CLOEXEC); });
});
Register connect_("connect_to_full_backlog", [] {
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  auto address = std::make_shared<sockaddr_un>();
  auto length = std::make_shared<socklen_t>(sizeof(sa_family_t));
  address->sun_family = AF_UNIX;
  bind(listener, reinterpret_cast<sockaddr*>(address.get()), *length);
  *length = sizeof *address;
  getsockname(listener, reinterpret_cast<sockaddr*>(address.get()), length.get());
  listen(listener, 0);
  auto try_connect = [=] {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return connect(fd, reinterpret_cast<sockaddr*>(address.get()), *length);
  };
  try_connect();
  return released(
      try_connect,
      [=] {
        close(accept(listener, nullptr, nullptr));
        close(accept(listener, nullptr, nullptr));
        close(listener);
      },
      0);
});

Register open_fifo_("open_fifo", [] {
  char path[] = "/tmp/heaprake-fifo-XXXXXX";
  auto name = std::make_shared<std::string>(mkdtemp(path));
  const std::string fifo = *name + "/fifo";
  mkfifo(fifo.c_str(), 0600);
  return released(
      [=] {
        const int fd = open(fifo.c_str(), O_RDONLY);
        close(fd);
        return fd >= 0 ? 0 : -1;
      },
      [=] {
        close(open(fifo.c_str(), O_WRONLY));
        unlink(fifo.c_str());
        rmdir(name->c_str());
      },
      0);
});

}  // namespace
