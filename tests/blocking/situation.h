// One blocking call in a situation where its result is known, natively and with the library.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

// errno before every call: one that succeeds leaves it so.
inline constexpr int kKept = 12345;

struct Situation {
  std::function<long()> call;     // made by the thread under test
  std::function<void()> release;  // by another, once that thread has lived through some stops;
                                  // none: the call ends by itself
  long result = 0;
  int error = kKept;         // errno afterwards
  uint64_t at_least_ns = 0;  // a time-out must not end it earlier
};

// Makes the situation; what it needs lives as long as its functions do.
using Make = std::function<Situation()>;

struct Named {
  const char* name;
  Make make;
};
std::vector<Named>& situations();

// One GoogleTest each; main calls it when every file has registered its own.
void register_situations();

struct Register {
  Register(const char* name, Make make) { situations().push_back({name, std::move(make)}); }
};

inline constexpr uint64_t kTimeoutMs = 40;
inline constexpr uint64_t kTimeoutNs = kTimeoutMs * 1000000;

// A call that ends by its time-out.
Situation timed(std::function<long()> call, long result, int error);
// A call that ends because of what another thread does.
Situation released(std::function<long()> call, std::function<void()> release, long result);

// Two connected descriptors, closed in the end. [0] is read, [1] is written.
struct Pair {
  int fd[2];
  Pair(const Pair&) = delete;
  ~Pair();
  static std::shared_ptr<Pair> pipe();
  static std::shared_ptr<Pair> sockets();  // Unix stream sockets
  // Writes until nothing more fits.
  void fill();

 private:
  Pair() = default;
};

// Reads `bytes` in small pieces.
void drain(int fd, size_t bytes);
