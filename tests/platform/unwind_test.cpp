// Call stacks by our own unwinder against those that libgcc's finds, and where that one finds none.
#include "platform/unwind.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "platform/modules.h"
#include "unwind_frames.h"

namespace heaprake::platform {
namespace {

constexpr int kMost = static_cast<int>(kMaxFrames);

// A walk on the calling thread, in memory that signal handlers may use.
struct Stack {
  uint64_t frames[kMaxFrames];
  size_t count = 0;
  uintptr_t address(size_t i) const {
    const uint64_t offset = frames[i] & ((uint64_t{1} << kFrameModuleShift) - 1);
    const uint64_t module = frames[i] >> kFrameModuleShift;
    return module != 0 ? module_at(module).base + offset : offset;
  }
};
thread_local OwnStack own_stack;
thread_local WalkedWords words;

void walk(const CallSite& site, Stack* stack) {
  stack->count = unwind(site, own_stack, stack->frames, kMaxFrames, &words);
}

// Where the calling function returns to. It must keep its frame pointer.
[[gnu::always_inline]] inline CallSite own_return() {
  auto* frame = static_cast<const uintptr_t*>(__builtin_frame_address(0));
  return {frame[1], reinterpret_cast<uintptr_t>(frame + 2), frame[0]};
}

int probes = 0;
int differences = 0;

// Frame by frame the same as `theirs`. An interrupted frame of ours is one byte on.
bool agrees(const Stack& ours, void* const* theirs, int count) {
  if (static_cast<int>(ours.count) != std::min(count, kMost)) return false;
  for (size_t i = 0; i < ours.count; ++i) {
    const uintptr_t ahead = ours.address(i) - reinterpret_cast<uintptr_t>(theirs[i]);
    if (ahead > 1) return false;
  }
  return true;
}

void tell(const Stack& ours, void* const* theirs, int count) {
  for (int i = 0; i < count || i < static_cast<int>(ours.count); ++i) {
    const uintptr_t a = i < static_cast<int>(ours.count) ? ours.address(i) : 0;
    void* b = i < count ? theirs[i] : nullptr;
    Dl_info info{};
    dladdr(reinterpret_cast<void*>(a), &info);
    std::printf("  %2d %#lx %p %s %s\n", i, a, b, info.dli_sname ? info.dli_sname : "?",
                info.dli_fname ? info.dli_fname : "?");
  }
}

[[gnu::noinline]] int compare_here() {
  Stack ours;
  walk(own_return(), &ours);
  void* theirs[kMaxFrames + 1];
  const int count = backtrace(theirs, kMost + 1) - 1;
  ++probes;
  if (!agrees(ours, theirs + 1, count) && ++differences < 3) tell(ours, theirs + 1, count);
  return 0;
}

class Unwind : public testing::Test {
 protected:
  void SetUp() override {
    static const bool started = start_unwinding({});
    ASSERT_TRUE(started);
    void* frames[2];
    backtrace(frames, 2);  // loads libgcc, which allocates
  }
  void TearDown() override {
    EXPECT_GT(probes, 0);
    EXPECT_EQ(differences, 0);
  }
};

TEST_F(Unwind, FramesOfEveryLevelOfOptimisation) {
  frames_o0::all(compare_here);
  frames_o1::all(compare_here);
  frames_o2::all(compare_here);
  frames_o3::all(compare_here);
  EXPECT_GE(probes, 4 * 12);
}

TEST_F(Unwind, AThreadsStart) {
  std::thread(compare_here).join();
  pthread_t thread;
  pthread_create(
      &thread, nullptr,
      [](void*) -> void* {
        compare_here();
        frames_o2::all(compare_here);
        return nullptr;
      },
      nullptr);
  pthread_join(thread, nullptr);
}

// Twice the same place on the stack, called from two: what has been walked before tells them apart.
TEST_F(Unwind, TellsWhatAWalkDependsOn) {
  compare_here();
  EXPECT_TRUE(words.whole);
  EXPECT_GT(words.count, 2u);
  EXPECT_LT(words.count, static_cast<uint32_t>(WalkedWords::kMax));
}

TEST_F(Unwind, LeavesOutItsOwnFrames) {
  LoadedModule self;
  ASSERT_TRUE(find_loaded(reinterpret_cast<uintptr_t>(&compare_here), &self));
  ASSERT_TRUE(start_unwinding(self.tables.image));
  Stack ours;
  walk(own_return(), &ours);
  ++probes;
  start_unwinding({});
  ASSERT_GT(ours.count, 0u);
  for (size_t i = 0; i < ours.count; ++i) EXPECT_FALSE(self.tables.image.contains(ours.address(i)));
}

void on_signal(int) {
  compare_here();
}

void raise_with(int flags) {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = flags;
  sigaction(SIGUSR1, &action, nullptr);
  raise(SIGUSR1);
}

TEST_F(Unwind, SignalHandlers) {
  raise_with(0);
  frames_o2::all([] {
    raise(SIGUSR1);
    return 0;
  });
  EXPECT_FALSE(words.whole);
}

TEST_F(Unwind, SignalHandlersOnAStackOfTheirOwn) {
  std::vector<char> memory(256 * 1024);
  stack_t stack{memory.data(), 0, memory.size()};
  ASSERT_EQ(sigaltstack(&stack, nullptr), 0);
  raise_with(SA_ONSTACK);
  frames_o2::all([] {
    raise(SIGUSR1);
    return 0;
  });
  stack.ss_flags = SS_DISABLE;
  sigaltstack(&stack, nullptr);
}

ucontext_t main_context, coroutine_context;

void coroutine() {
  compare_here();
  frames_o2::all(compare_here);
  swapcontext(&coroutine_context, &main_context);
  compare_here();
}

TEST_F(Unwind, Coroutines) {
  constexpr size_t kBytes = 1 << 20;
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  compare_here();
  getcontext(&coroutine_context);
  coroutine_context.uc_stack.ss_sp = memory;
  coroutine_context.uc_stack.ss_size = kBytes;
  coroutine_context.uc_link = &main_context;
  makecontext(&coroutine_context, coroutine, 0);
  swapcontext(&main_context, &coroutine_context);
  compare_here();
  swapcontext(&main_context, &coroutine_context);
  compare_here();
  munmap(memory, kBytes);
  compare_here();
}

TEST_F(Unwind, LoadedCode) {
  for (int i = 0; i < 3; ++i) {
    void* library = dlopen(UNWIND_LIBRARY, RTLD_NOW);
    ASSERT_NE(library, nullptr) << dlerror();
    auto* call = reinterpret_cast<int (*)(Probe*)>(dlsym(library, "unwind_library_call"));
    ASSERT_NE(call, nullptr);
    call(compare_here);
    bool known = false;
    for (size_t n = 1; n <= module_count(); ++n) {
      if (!std::strstr(module_at(n).path, "unwind_library")) continue;
      EXPECT_FALSE(known) << "the same file at the same place is one module";
      known = true;
      EXPECT_TRUE(is_loaded(module_at(n)));
    }
    EXPECT_TRUE(known);
    dlclose(library);
    forget_unwind_rules();
    for (size_t n = 1; n <= module_count(); ++n) {
      EXPECT_EQ(is_loaded(module_at(n)), !std::strstr(module_at(n).path, "unwind_library"));
    }
  }
}

uint8_t* make_code(const std::vector<uint8_t>& bytes) {
  auto* code = static_cast<uint8_t*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  std::memcpy(code, bytes.data(), bytes.size());
  return code;
}

std::vector<uintptr_t> found;
[[gnu::noinline]] int note_stack() {
  Stack ours;
  walk(own_return(), &ours);
  for (size_t i = 0; i < ours.count; ++i) found.push_back(ours.address(i));
  ++probes;
  return 0;
}

bool found_in(const void* code, size_t bytes) {
  return std::any_of(found.begin(), found.end(),
                     [&](uintptr_t at) { return at - reinterpret_cast<uintptr_t>(code) < bytes; });
}

// push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret
TEST_F(Unwind, CodeWithoutTablesThatKeepsFramePointers) {
  uint8_t* code = make_code({0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3});
  reinterpret_cast<int (*)(Probe*)>(code)(note_stack);
  EXPECT_TRUE(found_in(code, 8));
  EXPECT_TRUE(std::count_if(found.begin(), found.end(), [](uintptr_t at) {
                Dl_info info{};
                return dladdr(reinterpret_cast<void*>(at), &info) && info.dli_fname &&
                       std::strstr(info.dli_fname, "libc.so");
              }) >= 1);
  munmap(code, 4096);
}

// The same with rbp used for something else: sub $8,%rsp; push %rbp; sub $8,%rsp;
// mov %rsi,%rbp; call *%rdi; add $8,%rsp; pop %rbp; add $8,%rsp; ret
TEST_F(Unwind, CodeWithoutTablesOrFramePointers) {
  uint8_t* code =
      make_code({0x48, 0x83, 0xec, 0x08, 0x55, 0x48, 0x83, 0xec, 0x08, 0x48, 0x89, 0xf5,
                 0xff, 0xd7, 0x48, 0x83, 0xc4, 0x08, 0x5d, 0x48, 0x83, 0xc4, 0x08, 0xc3});
  volatile uintptr_t local[4] = {};
  for (uintptr_t bp :
       {uintptr_t{0}, uintptr_t{0x1000}, uintptr_t{0xdeadbeefdeadbeef}, uintptr_t{0x7fff00000000},
        reinterpret_cast<uintptr_t>(&local[0]), reinterpret_cast<uintptr_t>(code)}) {
    found.clear();
    reinterpret_cast<int (*)(Probe*, uintptr_t)>(code)(note_stack, bp);
    EXPECT_TRUE(found_in(code, 32));
  }
  munmap(code, 4096);
}

// A walk whose beginning is nonsense ends.
TEST_F(Unwind, Nonsense) {
  alignas(4096) static uintptr_t stack[512];
  uint64_t random = 88172645463325252u;
  const auto rip = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  for (int round = 0; round < 20000; ++round) {
    for (uintptr_t& word : stack) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      word = random % 3 == 0   ? rip - 40000 + random % 80000
             : random % 3 == 1 ? reinterpret_cast<uintptr_t>(&stack[random % 600])
                               : random;
    }
    Stack ours;
    walk({rip - 40000 + random % 80000, reinterpret_cast<uintptr_t>(&stack[random % 400]),
          reinterpret_cast<uintptr_t>(&stack[random % 700])},
         &ours);
    EXPECT_LE(ours.count, kMaxFrames);
  }
  ++probes;
}

// ------------------------------------------------------------ a walk from every instruction

constexpr int kSteps = 100000;
constexpr uint64_t kTrapFlag = 0x100;
int steps = 0, same = 0, bound_late = 0, unlike = 0;
thread_local OwnStack handlers_own_stack;
WalkedWords handlers_words;

// A function that is called for the first time: the loader's entry builds its CFA upon rbx, which
// is not followed. No program allocates below it.
bool ends_in_loader(Stack ours, void* const* theirs, int count) {
  LoadedModule last;
  return ours.count != 0 && find_loaded(ours.address(ours.count - 1), &last) &&
         std::strstr(last.name, "ld-linux") && static_cast<int>(ours.count) < count &&
         agrees(ours, theirs, static_cast<int>(ours.count));
}

void on_step(int, siginfo_t*, void* context) {
  auto* machine = &static_cast<ucontext_t*>(context)->uc_mcontext;
  if (++steps >= kSteps) machine->gregs[REG_EFL] &= ~static_cast<greg_t>(kTrapFlag);
  const CallSite site{static_cast<uintptr_t>(machine->gregs[REG_RIP]) + 1,
                      static_cast<uintptr_t>(machine->gregs[REG_RSP]),
                      static_cast<uintptr_t>(machine->gregs[REG_RBP])};
  Stack ours;
  ours.count = unwind(site, handlers_own_stack, ours.frames, kMaxFrames, &handlers_words);
  // Theirs takes long, and crashes on the last instructions with which it resumes itself.
  LoadedModule code;
  if (steps % 10 != 0 || !find_loaded(site.pc, &code) || std::strstr(code.name, "libgcc")) return;
  void* theirs[kMaxFrames + 2];
  const int count = backtrace(theirs, kMost + 2) - 2;  // the handler's and the kernel's own
  if (agrees(ours, theirs + 2, count)) {
    ++same;
  } else if (ends_in_loader(ours, theirs + 2, count)) {
    ++bound_late;
  } else if (++unlike <= 3) {
    tell(ours, theirs + 2, count);
  }
}

[[gnu::noinline]] void work() {
  std::map<std::string, double> map;
  char text[64];
  for (int i = 0; steps < kSteps; ++i) {
    std::snprintf(text, sizeof text, "%d %g", i, i / 3.0);
    map[text] += std::strtod(text, nullptr);
    if (map.size() > 20) map.clear();
    if (i % 4 == 0) {
      try {
        throw std::string(text);
      } catch (const std::string& caught) {
        map[caught + "!"] = 1;
      }
    }
    if (i % 4 == 1) frames_o2::all([] { return 0; });
    if (i % 4 == 2) frames_o0::all([] { return 0; });
    if (i % 4 == 3) {
      dlclose(dlopen(UNWIND_LIBRARY, RTLD_LAZY));
      forget_unwind_rules();
    }
  }
}

TEST_F(Unwind, FromEveryInstruction) {
  struct sigaction action {};
  action.sa_sigaction = on_step;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGTRAP, &action, nullptr);
  asm volatile("pushfq; orq $0x100, (%%rsp); popfq" : : : "memory", "cc");
  work();
  ++probes;
  EXPECT_GE(steps, kSteps);
  std::printf("%d agree, %d end in the loader, %d do not agree\n", same, bound_late, unlike);
  EXPECT_LT(unlike * 100, same);
}

}  // namespace
}  // namespace heaprake::platform
