#include "collector/pacer.h"

#include <algorithm>

namespace heaprake::collector {

namespace {

size_t percent_of(size_t bytes, unsigned percent) {
  return static_cast<size_t>(static_cast<unsigned __int128>(bytes) * percent / 100);
}

}  // namespace

void Pacer::set_threshold(size_t bytes, unsigned growth) {
  threshold_.store(bytes, std::memory_order_relaxed);
  growth_.store(growth, std::memory_order_relaxed);
  fruitless_.store(false, std::memory_order_relaxed);
  recompute();
}

size_t Pacer::wanted() const {
  const bool patient = fruitless_.load(std::memory_order_relaxed) && growth() != 0;
  const size_t least =
      patient ? std::min(threshold(), SIZE_MAX / kAfterNothing) * kAfterNothing : threshold();
  return std::max(least, percent_of(live_.load(std::memory_order_relaxed), growth()));
}

void Pacer::recompute() {
  trigger_.store(threshold() ? wanted() : SIZE_MAX, std::memory_order_relaxed);
}

bool Pacer::due(size_t allocated, size_t committed) const {
  return started_.load(std::memory_order_acquire) && enabled() && has_grown(allocated, committed);
}

bool Pacer::has_grown(size_t allocated, size_t committed) const {
  if (growth() == 0) return true;
  const size_t wanted = this->wanted();
  return committed >= live_.load(std::memory_order_relaxed) + wanted ||
         allocated / kPatience >= wanted;
}

void Pacer::note_collected(size_t live_bytes) {
  waited_for_.store(wanted(), std::memory_order_relaxed);
  live_.store(live_bytes, std::memory_order_relaxed);
  allocated_.store(0, std::memory_order_relaxed);
  given_up_.store(0, std::memory_order_relaxed);
  recompute();
}

void Pacer::note_reclaimed(size_t bytes) {
  const size_t waited_for = waited_for_.load(std::memory_order_relaxed);
  fruitless_.store(bytes < waited_for / kFruitful, std::memory_order_relaxed);
  recompute();
}

void Pacer::note_given_up() {
  recompute();
  size_t trigger = trigger_.load(std::memory_order_relaxed);
  if (trigger == SIZE_MAX) return;
  const unsigned doublings =
      std::min(given_up_.fetch_add(1, std::memory_order_relaxed), kMostDoublings);
  trigger_.store(allocated() + (trigger << doublings), std::memory_order_relaxed);
}

}  // namespace heaprake::collector
