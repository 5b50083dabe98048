// "Why is this still alive?": who refers to a block, from where, and whether it would go if one of
// them let go.
#include <cstdio>
#include <cstring>
#include <vector>

#include "heaprake/gc.hpp"

namespace {

struct Session {
  char user[24] = "ada";
};
struct Request {
  int number = 0;
  Session* session = nullptr;
};

Session* current = nullptr;       // a global
Request* last_request = nullptr;  // a global that leads there by way of another block

[[gnu::noinline]] void log_in() {
  current = gc::make<Session>();
  last_request = gc::make<Request>();
  last_request->session = current;
  gc_pin(current);
}

const char* kind_of(const gc::reference& reference) {
  switch (reference.kind) {
    case GC_REFERENCE_BLOCK:
      return "a block";
    case GC_REFERENCE_GLOBAL:
      return "a global";
    case GC_REFERENCE_PINNED:
      return "gc_pin";
    default:
      return "a stack or register";
  }
}

[[gnu::noinline]] void tell(gc::id session) {
  std::printf("%zu references\n", gc::refcount(session));
  for (const gc::reference& reference : gc::referrers(session)) {
    std::printf("  %s", kind_of(reference));
    if (reference.kind == GC_REFERENCE_BLOCK) {
      const char* type = gc::type(gc::address(reference.holder));
      const char* last = type ? std::strrchr(type, ':') : nullptr;
      std::printf(" of type %s, at offset %zu", last ? last + 1 : "unknown", reference.offset);
    }
    std::puts("");
  }
}

[[gnu::noinline]] gc::id id_of_session() {
  return gc::id(current);
}
[[gnu::noinline]] void log_out() {
  gc_unpin(current);
  current = nullptr;
}
[[gnu::noinline]] void forget_request() {
  std::printf("request %d is done\n", last_request->number);
  last_request = nullptr;
}

[[gnu::noinline]] void clear_dead_stack() {
  volatile char dead[16384];
  for (volatile char& byte : dead) byte = 0;
}

}  // namespace

int main() {
  gc::disable_scope by_hand;
  log_in();
  clear_dead_stack();
  const gc::id session = id_of_session();  // a disguised address: keeps nothing, counts for nothing
  clear_dead_stack();
  tell(session);
  log_out();
  clear_dead_stack();
  std::puts("logged out");
  tell(session);
  gc::collect();
  std::printf("exists: %s\n", gc::object_exists(session) ? "yes" : "no");
  forget_request();
  clear_dead_stack();
  gc::collect();
  std::printf("exists: %s\n", gc::object_exists(session) ? "yes" : "no");
}
