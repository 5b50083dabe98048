#include "cli/progress.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace heaprake::cli {

namespace {

constexpr int64_t kFirstNs = 1'000'000'000;
constexpr int64_t kAgainNs = 100'000'000;
constexpr size_t kBarWidth = 30;

int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

ProgressLine::ProgressLine()
    : terminal_(isatty(STDERR_FILENO) != 0), next_ns_(terminal_ ? now_ns() + kFirstNs : 0) {}

ProgressLine::~ProgressLine() {
  clear();
}

Progress ProgressLine::sink() {
  if (!terminal_) return {};
  return [this](std::string_view step, uint64_t done, uint64_t total) { tell(step, done, total); };
}

void ProgressLine::clear() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
  shown_ = false;
}

void ProgressLine::tell(std::string_view step, uint64_t done, uint64_t total) {
  const int64_t now = now_ns();
  if (now < next_ns_) return;
  next_ns_ = now + kAgainNs;
  const double part =
      total == 0 ? 0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  std::string bar(static_cast<size_t>(part * kBarWidth), '#');
  bar.resize(kBarWidth, '.');
  std::fprintf(stderr, "\r\x1b[Kheaprake: [%s] %3.0f %% %.*s", bar.c_str(), part * 100,
               static_cast<int>(step.size()), step.data());
  std::fflush(stderr);
  shown_ = true;
}

}  // namespace heaprake::cli
