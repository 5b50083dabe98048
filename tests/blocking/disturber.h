// A thread that stops the world over and over, if the library is there; natively nothing happens.
// The tests here know nothing of the library but the name of one of its functions.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

class Disturber {
 public:
  Disturber();
  ~Disturber();
  Disturber(const Disturber&) = delete;

  // Stops that have been completed; natively, calls that would have been.
  uint64_t stops() const { return stops_.load(); }
  // Returns after `count` more of them, so that whoever was blocked before has gone through some.
  void await(uint64_t count) const;
  // The same for tries to stop the world, successful or not.
  void await_tries(uint64_t count) const;

 private:
  std::atomic<uint64_t> stops_{0}, tries_{0};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

// Whether the library is loaded.
bool preloaded();
// A whole collection now, if the library is loaded. Whether it was completed.
bool collect();
// The same until one is completed: a thread that is just ending may spoil a few.
bool collect_at_last();

// If the environment says HEAPRAKE_TEST_RAW_HANDLER=1: installs a handler behind libc's back, so
// that every thread is signalled at every stop.
void install_raw_handler_if_wanted();
