// What operator new does when there is no memory: each form, with and without a new-handler.
#include <cstdio>
#include <cstdlib>
#include <new>

namespace {

int handled = 0;
volatile std::size_t too_much = static_cast<std::size_t>(-1) / 4;
using Big = std::align_val_t;

void resigning_handler() {
  if (++handled == 3) std::set_new_handler(nullptr);
}

struct Refusal : std::bad_alloc {};
void throwing_handler() {
  throw Refusal();
}

template <class New>
void attempt(const char* name, New form) {
  handled = 0;
  const char* result = "a block";
  try {
    if (!form()) result = "nullptr";
  } catch (const Refusal&) {
    result = "what the handler threw";
  } catch (const std::bad_alloc&) {
    result = "bad_alloc";
  }
  std::printf("%s: %s, handler called %d times\n", name, result, handled);
}

void attempt_all(std::new_handler handler) {
  auto with = [&](const char* name, auto form) {
    std::set_new_handler(handler);
    attempt(name, form);
  };
  with("new", [] { return ::operator new(too_much); });
  with("new[]", [] { return ::operator new[](too_much); });
  with("new aligned", [] { return ::operator new (too_much, Big{64}); });
  with("new[] aligned", [] { return ::operator new[](too_much, Big{4096}); });
  with("new nothrow", [] { return ::operator new(too_much, std::nothrow); });
  with("new[] nothrow", [] { return ::operator new[](too_much, std::nothrow); });
  with("new aligned nothrow", [] { return ::operator new (too_much, Big{64}, std::nothrow); });
  with("new[] aligned nothrow", [] { return ::operator new[](too_much, Big{64}, std::nothrow); });
}

}  // namespace

int main() {
  attempt_all(nullptr);
  attempt_all(resigning_handler);
  attempt_all(throwing_handler);
}
