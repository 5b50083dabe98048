// A small chat server, one of the kind that runs for months: each line that a client sends goes to
// all others, and "/quit" ends a session. It loses memory; docs/hunting.md hunts it down.
//
//   chat_server PORT        (0: any; the port is printed)
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct Session {
  explicit Session(int descriptor) : fd(descriptor) {}
  virtual ~Session() { close(fd); }

  int fd;
  std::string name = "guest with a name of some length";
  std::string input;                                // not yet a line
  std::vector<std::string> history;                 // what it has said
  std::function<void(const std::string&)> on_line;  // called for each line
};

class Server {
 public:
  void open_session(int fd) {
    auto session = std::make_shared<Session>(fd);
    // The handler keeps its session alive, which keeps its handler alive.
    session->on_line = [this, session](const std::string& line) { said(*session, line); };
    sessions_[fd] = session;
  }

  // False when the session is over.
  bool read_from(int fd) {
    const std::shared_ptr<Session> session = sessions_.at(fd);
    char buffer[512];
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n <= 0) return false;
    session->input.append(buffer, static_cast<size_t>(n));
    for (size_t end; (end = session->input.find('\n')) != std::string::npos;) {
      const std::string line = session->input.substr(0, end);
      session->input.erase(0, end + 1);
      if (line == "/quit") {
        session->on_line = nullptr;  // a polite client's session does go
        return false;
      }
      session->on_line(line);
    }
    return true;
  }

  void close_session(int fd) { sessions_.erase(fd); }

  std::vector<pollfd> watched(int listener) const {
    std::vector<pollfd> all = {{listener, POLLIN, 0}};
    for (const auto& [fd, session] : sessions_) all.push_back({fd, POLLIN, 0});
    return all;
  }

 private:
  void said(Session& speaker, const std::string& line) {
    speaker.history.push_back(line);
    const std::string text = speaker.name + ": " + line + "\n";
    for (const auto& [fd, session] : sessions_)
      if (session.get() != &speaker) send(fd, text.data(), text.size(), MSG_NOSIGNAL);
  }

  std::map<int, std::shared_ptr<Session>> sessions_;
};

static int listen_on(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 64) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::perror("chat_server");
    std::exit(1);
  }
  std::printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return fd;
}

int main(int argc, char** argv) {
  const int listener = listen_on(static_cast<uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0));
  Server server;
  while (true) {
    std::vector<pollfd> watched = server.watched(listener);
    if (poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[0].revents & POLLIN) {
      const int fd = accept(listener, nullptr, nullptr);
      if (fd >= 0) server.open_session(fd);
    }
    for (size_t i = 1; i < watched.size(); ++i)
      if (watched[i].revents != 0 && !server.read_from(watched[i].fd))
        server.close_session(watched[i].fd);
  }
}
