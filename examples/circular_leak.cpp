// A program that leaks cycles, and has never heard of heaprake.
//
//   circular_leak [SIZE]      SIZE: bytes to drop in all, with suffix k, m or g; default 1g
//
// Half of the bytes go into pairs of raw pointers, Order <-> Invoice, that nobody deletes; the
// other half into pairs of std::shared_ptr, Parent <-> Child, whose counts never fall to zero.
// Every pair is unreachable as soon as the function that made it returns. A checksum over the
// content of every pair is printed as it goes, so that two runs can be compared.
#include <array>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace {

// Deterministic content for the nodes: xorshift64.
class Noise {
 public:
  uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }

 private:
  uint64_t state_ = 0x9e3779b97f4a7c15;
};

template <size_t kWords>
class Payload {
 public:
  explicit Payload(Noise& noise) {
    for (uint64_t& word : words_) word = noise.next();
  }
  uint64_t fold(uint64_t sum) const {
    for (uint64_t word : words_) sum = (sum ^ word) * 0x100000001b3;
    return sum;
  }

 private:
  std::array<uint64_t, kWords> words_;
};

struct Invoice;

struct Order {
  explicit Order(Noise& noise) : payload(noise) {}
  Invoice* invoice = nullptr;
  Payload<19> payload;
};

struct Invoice {
  explicit Invoice(Noise& noise) : payload(noise) {}
  Order* order = nullptr;
  Payload<43> payload;
};

struct Child;

struct Parent {
  explicit Parent(Noise& noise) : payload(noise) {}
  std::shared_ptr<Child> child;
  Payload<28> payload;
};

struct Child {
  explicit Child(Noise& noise) : payload(noise) {}
  std::shared_ptr<Parent> parent;  // should have been a std::weak_ptr: this closes the cycle
  Payload<12> payload;
};

constexpr uint64_t kRawBytes = sizeof(Order) + sizeof(Invoice);
constexpr uint64_t kSharedBytes = sizeof(Parent) + sizeof(Child);

[[gnu::noinline]] uint64_t drop_raw_pair(Noise& noise, uint64_t sum) {
  auto* order = new Order(noise);
  order->invoice = new Invoice(noise);
  order->invoice->order = order;
  return order->invoice->payload.fold(order->payload.fold(sum));
}

[[gnu::noinline]] uint64_t drop_shared_pair(Noise& noise, uint64_t sum) {
  auto parent = std::make_shared<Parent>(noise);
  parent->child = std::make_shared<Child>(noise);
  parent->child->parent = parent;
  return parent->child->payload.fold(parent->payload.fold(sum));
}

// 0 if the text is not a size.
uint64_t parse_size(const char* text) {
  char* end = nullptr;
  uint64_t size = std::strtoull(text, &end, 10);
  if (end == text) return 0;
  switch (*end) {
    case 'g':
      size *= 1024;
      [[fallthrough]];
    case 'm':
      size *= 1024;
      [[fallthrough]];
    case 'k':
      size *= 1024;
      ++end;
      break;
    default:
      break;
  }
  return *end == '\0' ? size : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t total = parse_size(argc > 1 ? argv[1] : "1g");
  if (argc > 2 || total == 0) {
    std::fprintf(stderr, "usage: circular_leak [SIZE]   (such as 64m; default 1g)\n");
    return 2;
  }

  constexpr uint64_t kReports = 8;
  Noise noise;
  uint64_t sum = 0;
  uint64_t raw = 0;
  uint64_t shared = 0;
  for (uint64_t report = 1; report <= kReports; ++report) {
    const uint64_t goal = total / kReports * report / 2;
    for (; raw < goal; raw += kRawBytes) sum = drop_raw_pair(noise, sum);
    for (; shared < goal; shared += kSharedBytes) sum = drop_shared_pair(noise, sum);
    std::printf("%9" PRIu64 " KiB dropped, checksum %016" PRIx64 "\n", (raw + shared) / 1024, sum);
    std::fflush(stdout);
  }
  return 0;
}
