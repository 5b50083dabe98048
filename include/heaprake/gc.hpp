// heaprake/gc.hpp: heaprake/gc.h for C++20. Header-only; see gc.h for what each call means. A call
// that fails does what gc.h says; nothing here throws but std::bad_alloc, from the vectors.
#ifndef HEAPRAKE_GC_HPP
#define HEAPRAKE_GC_HPP

#include <cstddef>
#include <utility>
#include <vector>

#include "heaprake/gc.h"

namespace gc {

using id_t = gc_id_t;
using object = gc_object;
using reference = gc_reference;
using reference_kind = gc_reference_kind;
using stats = gc_stats;

struct threshold {
  std::size_t bytes;
  unsigned growth;  // percent
};

inline void enable() noexcept {
  gc_enable();
}
inline void disable() noexcept {
  gc_disable();
}
[[nodiscard]] inline bool isenabled() noexcept {
  return gc_isenabled();
}
inline std::size_t collect() noexcept {
  return gc_collect();
}

inline bool set_threshold(threshold t) noexcept {
  return gc_set_threshold(t.bytes, t.growth);
}
[[nodiscard]] inline threshold get_threshold() noexcept {
  threshold t{};
  gc_get_threshold(&t.bytes, &t.growth);
  return t;
}
[[nodiscard]] inline std::size_t get_count() noexcept {
  return gc_get_count();
}
[[nodiscard]] inline stats get_stats() noexcept {
  stats s{};
  gc_get_stats(&s);
  return s;
}

[[nodiscard]] inline id_t id(const void* p) noexcept {
  return gc_id(p);
}
[[nodiscard]] inline void* address(id_t id) noexcept {
  return gc_address(id);
}
[[nodiscard]] inline bool object_exists(id_t id) noexcept {
  return gc_object_exists(id);
}
[[nodiscard]] inline bool is_tracked(const void* p) noexcept {
  return gc_is_tracked(p);
}
[[nodiscard]] inline std::size_t refcount(id_t id) noexcept {
  return gc_refcount(id);
}

namespace detail {
// Asks for how many there are, makes room, and asks again until they fit.
template <class T, class Ask>
std::vector<T> all(Ask ask) {
  std::vector<T> out;
  for (std::size_t count = ask(static_cast<T*>(nullptr), 0); count > out.size();) {
    out.resize(count + count / 8);
    count = ask(out.data(), out.size());
    if (count <= out.size()) {
      out.resize(count);
      break;
    }
  }
  return out;
}
}  // namespace detail

// The vector's own storage is a block as well, and may be among them.
[[nodiscard]] inline std::vector<object> objects() {
  return detail::all<object>([](object* out, std::size_t n) { return gc_objects(out, n); });
}
[[nodiscard]] inline std::vector<reference> referrers(id_t id) {
  return detail::all<reference>(
      [=](reference* out, std::size_t n) { return gc_referrers(id, out, n); });
}
[[nodiscard]] inline std::vector<id_t> referents(const void* p) {
  return detail::all<id_t>([=](id_t* out, std::size_t n) { return gc_referents(p, out, n); });
}

inline bool add_root(const void* lo, const void* hi) noexcept {
  return gc_add_root(lo, hi);
}
inline bool remove_root(const void* lo, const void* hi) noexcept {
  return gc_remove_root(lo, hi);
}
inline bool pin(const void* p) noexcept {
  return gc_pin(p);
}
inline bool unpin(const void* p) noexcept {
  return gc_unpin(p);
}
[[nodiscard]] inline void* malloc_leaf(std::size_t size) noexcept {
  return gc_malloc_leaf(size);
}

// Keeps a block for as long as it lives.
class pinned {
 public:
  explicit pinned(const void* p) noexcept : p_(gc_pin(p) ? p : nullptr) {}
  pinned(pinned&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
  pinned& operator=(pinned&& other) noexcept {
    std::swap(p_, other.p_);
    return *this;
  }
  ~pinned() {
    if (p_) gc_unpin(p_);
  }
  explicit operator bool() const noexcept { return p_ != nullptr; }

 private:
  const void* p_;
};

// No automatic collection for as long as it lives; then as before.
class disabled {
 public:
  disabled() noexcept : was_enabled_(gc_isenabled()) { gc_disable(); }
  disabled(const disabled&) = delete;
  disabled& operator=(const disabled&) = delete;
  ~disabled() {
    if (was_enabled_) gc_enable();
  }

 private:
  bool was_enabled_;
};

}  // namespace gc

#endif  // HEAPRAKE_GC_HPP
