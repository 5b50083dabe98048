// heaprake/gc.hpp: heaprake/gc.h for C++20. Header-only; see gc.h for what each call means. A call
// that fails does what gc.h says; nothing here throws but std::bad_alloc, and what the program's
// own constructors throw. Works with -fno-exceptions and -fno-rtti.
#ifndef HEAPRAKE_GC_HPP
#define HEAPRAKE_GC_HPP

#include <array>
#include <cerrno>
#include <compare>
#include <cstddef>
#include <exception>
#if __has_include(<memory_resource>)
#include <memory_resource>  // libc++ has none before LLVM 16
#endif
#include <new>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__cpp_exceptions)
#include <cxxabi.h>
#endif

#include "heaprake/gc.h"

namespace gc {

using id_t = gc_id_t;  // as C has it; class id below prints itself
using object = gc_object;
using reference = gc_reference;
using reference_kind = gc_reference_kind;
using stats = gc_stats;
using info = gc_info;
using phase = gc_phase;

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

// A block's identity, by a disguised address: keeping one keeps nothing alive.
class id {
 public:
  constexpr id() noexcept = default;
  constexpr id(gc_id_t value) noexcept : value_(value) {}  // NOLINT(google-explicit-constructor)
  explicit id(const void* p) noexcept : value_(gc_id(p)) {}

  constexpr operator gc_id_t() const noexcept { return value_; }  // NOLINT(*-explicit-constructor)
  [[nodiscard]] constexpr gc_id_t value() const noexcept { return value_; }
  constexpr explicit operator bool() const noexcept { return value_ != 0; }

  friend constexpr bool operator==(id a, id b) noexcept { return a.value_ == b.value_; }
  friend constexpr bool operator==(id a, gc_id_t b) noexcept { return a.value_ == b; }
  friend constexpr std::strong_ordering operator<=>(id a, id b) noexcept {
    return a.value_ <=> b.value_;
  }

 private:
  gc_id_t value_ = 0;
};

[[nodiscard]] inline std::string to_string(id id) {
  std::string text = "0x";
  for (int shift = 60; shift >= 0; shift -= 4) {
    text += "0123456789abcdef"[id.value() >> shift & 15];
  }
  return text;
}
inline std::ostream& operator<<(std::ostream& out, id id) {
  return out << to_string(id);
}

[[nodiscard]] inline void* address(id id) noexcept {
  return gc_address(id);
}
[[nodiscard]] inline bool object_exists(id id) noexcept {
  return gc_object_exists(id);
}
[[nodiscard]] inline bool is_tracked(const void* p) noexcept {
  return gc_is_tracked(p);
}
[[nodiscard]] inline std::size_t refcount(id id) noexcept {
  return gc_refcount(id);
}
[[nodiscard]] inline std::size_t refcount(const void* p) noexcept {
  return gc_refcount(gc_id(p));
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
[[nodiscard]] inline std::vector<reference> referrers(id id) {
  return detail::all<reference>(
      [=](reference* out, std::size_t n) { return gc_referrers(id, out, n); });
}
// Without a copy of the address in this frame, which would count.
[[nodiscard]] inline std::vector<reference> referrers(const void* p) {
  return referrers(id(p));
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
class disable_scope {
 public:
  disable_scope() noexcept : was_enabled_(gc_isenabled()) { gc_disable(); }
  disable_scope(const disable_scope&) = delete;
  disable_scope& operator=(const disable_scope&) = delete;
  ~disable_scope() {
    if (was_enabled_) gc_enable();
  }

 private:
  bool was_enabled_;
};
using disabled = disable_scope;

// --- Finalizers and names

namespace detail {

// "Cat" out of "... [with T = Cat]" (GCC) or "... [T = Cat]" (Clang).
template <class T>
constexpr auto name_of() {
  constexpr std::string_view kPretty = __PRETTY_FUNCTION__;
  constexpr std::size_t kBegin = kPretty.find("T = ") + 4;
  std::array<char, kPretty.size() - kBegin> name{};
  // All but the closing bracket, which makes room for the terminating 0.
  for (std::size_t i = 0; i + 1 < name.size(); i++) name[i] = kPretty[kBegin + i];
  return name;
}
template <class T>
inline constexpr auto kName = name_of<T>();

[[noreturn]] inline void no_memory() {
#if defined(__cpp_exceptions)
  throw std::bad_alloc();
#else
  std::terminate();
#endif
}

// There is nobody to throw to: the error is told of, and the next finalizer runs.
template <class Function>
void run_and_report(const void* p, Function&& run) {
#if defined(__cpp_exceptions)
  try {
    run();
  }
#if defined(__GLIBCXX__)
  catch (abi::__forced_unwind&) {  // the thread is being cancelled
    throw;
  }
#endif
  catch (const std::exception& error) {
    gc_report_error(p, error.what());
  } catch (...) {
    gc_report_error(p, "an exception");
  }
#else
  (void)p;
  run();
#endif
}

template <class T>
void destroy(void* block, void*) {
  run_and_report(block, [=] { static_cast<T*>(block)->~T(); });
}

template <class Function>
void call_and_delete(void* block, void* arg) {
  auto* function = static_cast<Function*>(arg);
  run_and_report(block, [=] { (*function)(block); });
  ::delete function;
}

}  // namespace detail

// What a type is called, without run-time type information.
template <class T>
inline constexpr const char* type_name = detail::kName<T>.data();

// A new T, as by new: whose type is known to gc_type and to reports, and whose destructor runs,
// once a collection has found it unreachable, before it is reclaimed (gc_set_finalizer says when,
// and in which order; all that it refers to is still there, though perhaps destroyed). Weak
// references are cleared before that (gc_set_destructor). `delete` is allowed, and destroys it at
// once; `::delete` if T has an operator delete of its own, since its operator new is not asked. A
// destructor that makes the object reachable again leaves it destroyed.
template <class T, class... Args>
[[nodiscard]] T* make(Args&&... args) {
  T* p;
  if constexpr (std::is_constructible_v<T, Args...>) {
    p = ::new T(std::forward<Args>(args)...);
  } else {
    p = ::new T{std::forward<Args>(args)...};
  }
  if constexpr (!std::is_trivially_destructible_v<T>) {
    if (!gc_set_destructor(p, detail::destroy<T>, nullptr) && errno == ENOMEM) {
      ::delete p;
      detail::no_memory();
    }
  }
  gc_set_type(p, type_name<T>);
  return p;
}

// function(block) when p's block is about to be reclaimed; what it captures is kept alive until
// then, so it must not capture p. An exception is told of on stderr. Replaces make's destructor,
// and leaves weak references until the block goes. If it never runs, because the program frees the
// block or sets another finalizer, a later gc_collect or gc_run_finalizers destroys it.
template <class Function>
bool set_finalizer(const void* p, Function function) {
  auto* copy = make<Function>(std::move(function));
  if (gc_set_finalizer(p, detail::call_and_delete<Function>, copy)) return true;
  const int error = errno;
  ::delete copy;
  errno = error;
  return false;
}
[[nodiscard]] inline bool is_finalized(const void* p) noexcept {
  return gc_is_finalized(p);
}
inline std::size_t run_finalizers() noexcept {
  return gc_run_finalizers();
}
inline bool set_type(const void* p, const char* name) noexcept {
  return gc_set_type(p, name);
}
[[nodiscard]] inline const char* type(const void* p) noexcept {
  return gc_type(p);
}

// --- Weak references

// Refers to an object without keeping it alive. get() is nullptr once it is gone.
template <class T>
class weak {
 public:
  weak() noexcept = default;
  explicit weak(T* p) noexcept : weak_(p ? gc_weak_new(p) : nullptr) {}
  weak(const weak& other) noexcept : weak(other.get()) {}
  weak(weak&& other) noexcept : weak_(std::exchange(other.weak_, nullptr)) {}
  weak& operator=(weak other) noexcept {
    std::swap(weak_, other.weak_);
    return *this;
  }
  ~weak() {
    if (weak_) gc_weak_free(weak_);
  }

  // A strong pointer: the object stays as long as it is held.
  [[nodiscard]] T* get() const noexcept {
    return weak_ ? static_cast<T*>(gc_weak_get(weak_)) : nullptr;
  }
  [[nodiscard]] bool expired() const noexcept { return get() == nullptr; }

 private:
  gc_weak* weak_ = nullptr;
};

// --- Memory for containers

// Ordinary blocks; their type, T[], is known to gc_type and to reports.
template <class T>
class allocator {
 public:
  using value_type = T;
  allocator() noexcept = default;
  template <class U>
  allocator(const allocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] T* allocate(std::size_t n) {
    if (n > PTRDIFF_MAX / sizeof(T)) detail::no_memory();
    void* p;
    if constexpr (alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
      p = ::operator new(n * sizeof(T), std::align_val_t(alignof(T)));
    } else {
      p = ::operator new(n * sizeof(T));
    }
    gc_set_type(p, type_name<T[]>);
    return static_cast<T*>(p);
  }
  void deallocate(T* p, std::size_t) noexcept {
    if constexpr (alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
      ::operator delete(p, std::align_val_t(alignof(T)));
    } else {
      ::operator delete(p);
    }
  }
};
template <class T, class U>
bool operator==(const allocator<T>&, const allocator<U>&) noexcept {
  return true;
}

// Blocks that are not scanned: for text, numbers, any Data that holds no pointers to blocks. What
// else a container needs, the nodes of a list or of a map, it gets in ordinary blocks: they hold
// pointers to each other.
template <class Data, class T = Data>
class leaf_allocator {
 public:
  using value_type = T;
  static_assert(alignof(Data) <= 16, "gc_malloc_leaf aligns to 16 bytes");
  template <class U>
  struct rebind {
    using other = leaf_allocator<Data, U>;
  };
  leaf_allocator() noexcept = default;
  template <class D, class U>
  leaf_allocator(const leaf_allocator<D, U>&) noexcept {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] T* allocate(std::size_t n) {
    if constexpr (!std::is_same_v<T, Data>) {
      return allocator<T>().allocate(n);
    } else {
      void* p = n > PTRDIFF_MAX / sizeof(T) ? nullptr : gc_malloc_leaf(n * sizeof(T));
      if (!p) detail::no_memory();
      return static_cast<T*>(p);
    }
  }
  void deallocate(T* p, std::size_t n) noexcept { allocator<T>().deallocate(p, n); }
};
template <class D, class T, class E, class U>
bool operator==(const leaf_allocator<D, T>&, const leaf_allocator<E, U>&) noexcept {
  return true;
}

#ifdef __cpp_lib_memory_resource
// Ordinary blocks that carry a name, for std::pmr containers: what they hold can be told apart in
// reports, and by gc_type.
class memory_resource : public std::pmr::memory_resource {
 public:
  // The name is copied. nullptr: none.
  explicit memory_resource(const char* name = nullptr) : name_(name ? name : "") {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    void* p = ::operator new(bytes, std::align_val_t(alignment));
    if (!name_.empty()) gc_set_type(p, name_.c_str());
    return p;
  }
  void do_deallocate(void* p, std::size_t, std::size_t alignment) override {
    ::operator delete(p, std::align_val_t(alignment));
  }
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }

  std::string name_;
};
#endif

// --- Watching and debugging

inline bool add_callback(gc_callback fn, void* arg = nullptr) noexcept {
  return gc_add_callback(fn, arg);
}
inline bool remove_callback(gc_callback fn, void* arg = nullptr) noexcept {
  return gc_remove_callback(fn, arg);
}
inline bool set_debug(unsigned flags) noexcept {
  return gc_set_debug(flags);
}
[[nodiscard]] inline unsigned get_debug() noexcept {
  return gc_get_debug();
}
[[nodiscard]] inline std::vector<object> garbage() {
  return detail::all<object>([](object* out, std::size_t n) { return gc_garbage(out, n); });
}
inline void clear_garbage() noexcept {
  gc_clear_garbage();
}
inline bool freeze() noexcept {
  return gc_freeze();
}
inline void unfreeze() noexcept {
  gc_unfreeze();
}
[[nodiscard]] inline std::size_t get_freeze_count() noexcept {
  return gc_get_freeze_count();
}

}  // namespace gc

#endif  // HEAPRAKE_GC_HPP
