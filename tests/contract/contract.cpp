// What malloc and its relatives owe a program, as lines of text. Run natively and with the library
// preloaded, it must print the same (compare does that): glibc is the specification. Only what a
// program may rely on is printed, never an address or a size that is glibc's own business.
#include <malloc.h>

#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

extern "C" void* reallocarray(void*, size_t, size_t) noexcept;

namespace {

// Sizes and addresses that the optimiser knows nothing about.
template <class T>
T opaque(T value) {
  asm volatile("" : "+r"(value));
  return value;
}

const char* error_name() {
  switch (errno) {
    case 0:
      return "no error";
    case ENOMEM:
      return "ENOMEM";
    case EINVAL:
      return "EINVAL";
    default:
      return "another error";
  }
}

const char* kind(const void* p) {
  return p ? "block" : "NULL";
}

template <class Call>
void show(const char* name, Call call) {
  errno = 0;
  void* p = call();
  std::printf("%s: %s, %s\n", name, kind(p), error_name());
  free(opaque(p));
}

void check(const char* name, bool good) {
  std::printf("%s: %s\n", name, good ? "yes" : "NO");
}

constexpr size_t kTooMuch = PTRDIFF_MAX;

void show_limits() {
  show("malloc(0)", [] { return malloc(opaque(size_t{0})); });
  show("malloc(PTRDIFF_MAX)", [] { return malloc(opaque(kTooMuch)); });
  show("malloc(PTRDIFF_MAX+1)", [] { return malloc(opaque(kTooMuch + 1)); });
  show("malloc(SIZE_MAX)", [] { return malloc(opaque(SIZE_MAX)); });
  show("calloc(0, 0)", [] { return calloc(opaque(size_t{0}), 0); });
  show("calloc overflow", [] { return calloc(opaque(SIZE_MAX / 2), 3); });
  show("calloc too much", [] { return calloc(opaque(kTooMuch), 1); });
  show("realloc(NULL, 0)", [] { return realloc(opaque<void*>(nullptr), 0); });
  show("realloc(NULL, 10)", [] { return realloc(opaque<void*>(nullptr), 10); });
  show("realloc(NULL, SIZE_MAX)", [] { return realloc(nullptr, opaque(SIZE_MAX)); });
  show("realloc(p, 0)", [] { return realloc(opaque(malloc(10)), opaque(size_t{0})); });
  show("reallocarray(NULL, 3, 5)", [] { return reallocarray(nullptr, opaque(size_t{3}), 5); });
  show("reallocarray overflow", [] { return reallocarray(nullptr, opaque(SIZE_MAX / 2), 3); });
  show("reallocarray(p, 0, 5)",
       [] { return reallocarray(opaque(malloc(9)), opaque(size_t{0}), 5); });
  show("valloc(1)", [] { return valloc(1); });
  show("pvalloc(1)", [] { return pvalloc(opaque(size_t{1})); });
  show("pvalloc(SIZE_MAX)", [] { return pvalloc(opaque(SIZE_MAX)); });
  free(opaque<void*>(nullptr));
  check("malloc_usable_size(NULL) == 0", malloc_usable_size(opaque<void*>(nullptr)) == 0);
}

void show_alignments() {
  for (size_t alignment :
       {size_t{0}, size_t{1}, size_t{3}, size_t{8}, size_t{24}, size_t{64}, size_t{100},
        size_t{4096}, size_t{1} << 20, SIZE_MAX / 2 + 1, SIZE_MAX}) {
    std::printf("alignment %zu\n", alignment);
    show("  memalign", [=] { return memalign(opaque(alignment), 100); });
    show("  aligned_alloc", [=] { return aligned_alloc(opaque(alignment), 100); });
    void* p = nullptr;
    int error = posix_memalign(&p, opaque(alignment), 100);
    std::printf("  posix_memalign: %s, %d\n", kind(p), error);
    free(p);
  }
  show("memalign(64, SIZE_MAX)", [] { return memalign(64, opaque(SIZE_MAX)); });
  void* untouched = &untouched;
  int error = posix_memalign(&untouched, 64, opaque(SIZE_MAX));
  std::printf("posix_memalign(64, SIZE_MAX): %d\n", error);
  check("  leaves the pointer alone", untouched == &untouched);
  bool aligned = true;
  for (size_t alignment = 16; alignment <= size_t{1} << 30; alignment *= 2) {
    for (size_t size : {1, 100, 5000}) {
      void* p = aligned_alloc(alignment, size);
      aligned &= p && reinterpret_cast<uintptr_t>(p) % alignment == 0;
      if (p) memset(p, 1, size);
      free(p);
    }
  }
  check("every power of two up to 1 GiB", aligned);
}

void show_content() {
  bool aligned = true, zeroed = true, kept = true, usable = true;
  for (size_t size = 1; size < 3000000; size = size * 5 / 4 + 1) {
    char* p = static_cast<char*>(malloc(size));
    aligned &= reinterpret_cast<uintptr_t>(p) % 16 == 0;
    usable &= malloc_usable_size(p) >= size;
    memset(p, 0x5a, malloc_usable_size(p));
    char* q = static_cast<char*>(realloc(p, size * 2));
    for (size_t i = 0; i < size; ++i) kept &= q[i] == 0x5a;
    memset(q, 0xa5, size * 2);
    q = static_cast<char*>(realloc(q, size / 3 + 1));
    for (size_t i = 0; i < size / 3 + 1; ++i) kept &= q[i] == char(0xa5);
    free(q);
    p = static_cast<char*>(calloc(size, 1));
    for (size_t i = 0; i < size; ++i) zeroed &= p[i] == 0;
    free(p);
  }
  check("16-byte alignment", aligned);
  check("usable size covers the size", usable);
  check("realloc keeps the content", kept);
  check("calloc zeroes", zeroed);
  char* p = static_cast<char*>(malloc(100));
  memset(p, 3, 100);
  errno = 0;
  bool failed = realloc(p, opaque(SIZE_MAX)) == nullptr;
  check("a failed realloc leaves the block", failed && errno == ENOMEM && p[99] == 3);
  free(p);
}

void show_errno() {
  std::vector<void*> blocks;
  for (size_t size = 1; size < (64u << 20); size = size * 3 + 7) blocks.push_back(malloc(size));
  errno = EDOM;
  for (void* p : blocks) free(p);
  check("free keeps errno", errno == EDOM);
  void* p = realloc(realloc(malloc(10), 100000), 20);
  free(p);
  check("a successful realloc keeps errno", errno == EDOM);
}

void show_new() {
  bool good = true;
  for (size_t size : {0, 1, 100, 100000}) {
    long* array = new long[size];
    void* raw = ::operator new (size, std::align_val_t{256});
    good &= reinterpret_cast<uintptr_t>(raw) % 256 == 0;
    ::operator delete (raw, size, std::align_val_t{256});
    void* nothrow = ::operator new(size, std::nothrow);
    good &= nothrow != nullptr;
    ::operator delete(nothrow, std::nothrow);
    delete[] array;
  }
  check("operator new", good);
  std::set_new_handler(nullptr);
  check("nothrow gives up", ::operator new(opaque(kTooMuch), std::nothrow) == nullptr);
}

void show_threads() {
  std::vector<void*> blocks(2000);
  std::thread([&] {
    for (size_t i = 0; i < blocks.size(); ++i) memset(blocks[i] = malloc(i + 1), int(i), i + 1);
  }).join();
  bool kept = true;
  for (size_t i = 0; i < blocks.size(); ++i) {
    kept &= static_cast<unsigned char*>(blocks[i])[i] == (i & 255);
    free(blocks[i]);
  }
  check("blocks outlive their thread and are freed by another", kept);
}

void show_tuning() {
  std::printf("mallopt(M_ARENA_MAX): %d\n", mallopt(M_ARENA_MAX, 2));
  std::printf("malloc_info(1): %d\n", malloc_info(1, stdout) == EINVAL);
  char* text = nullptr;
  size_t length = 0;
  FILE* stream = open_memstream(&text, &length);
  std::printf("malloc_info(0): %d\n", malloc_info(0, stream));
  std::fclose(stream);
  check("  is XML",
        strncmp(text, "<malloc version=\"1\">", 20) == 0 && strstr(text, "</malloc>\n"));
  free(text);
  size_t before = mallinfo2().uordblks;
  void* p = malloc(100000);
  check("mallinfo2 counts", mallinfo2().uordblks >= before + 100000);
  check("mallinfo counts", size_t(mallinfo().uordblks) >= before + 100000);
  free(p);
  int trimmed = malloc_trim(0);
  check("malloc_trim", trimmed == 0 || trimmed == 1);
}

void show_huge() {
  size_t size = size_t{5} << 30;
  char* p = static_cast<char*>(malloc(opaque(size)));
  check("a block of 5 GiB", p != nullptr);
  if (!p) return;
  p[0] = p[size - 1] = 1;
  char* q = static_cast<char*>(realloc(p, opaque(size + size / 2)));
  check("  grows", q && q[0] == 1 && q[size - 1] == 1 && q[size + size / 2 - 1] == 0);
  free(q);
}

}  // namespace

int main() {
  show_limits();
  show_alignments();
  show_content();
  show_errno();
  show_new();
  show_threads();
  show_tuning();
  show_huge();
}
