// Loses the frame of a coroutine that has come to its end, or also that of one that waits.
#include <coroutine>
#include <cstring>

namespace {

struct Task {
  struct promise_type {
    int value = 0;
    Task get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_value(int n) { value = n; }
    void unhandled_exception() {}
  };
  std::coroutine_handle<promise_type> handle;
};

__attribute__((noinline)) Task count(int n) {
#ifdef SUSPENDED
  co_await std::suspend_always{};
#endif
  co_return n + 1;
}

__attribute__((noinline)) void lose() {
#ifdef SUSPENDED
  count(2).handle.resume();
#endif
  const Task task = count(1);
  while (!task.handle.done()) task.handle.resume();
}

__attribute__((noinline)) void wipe() {
  char stack[8192];
  std::memset(stack, 0, sizeof stack);
  asm volatile("" ::"r"(stack) : "memory");
}

}  // namespace

int main() {
  lose();
  wipe();
  return 0;
}
