// What a whole collection takes besides marking much.
//
//     pause WHAT COUNT [ROUNDS]    prints in us the median and the 99th percentile: of the pause,
//     of
//                                  the part that is neither stopping nor marking, and of the
//                                  processors' time for the whole collection
//
//   mappings  the process has COUNT of them more, each with one page in use
//   heap      COUNT MiB of 64-byte nodes are alive, each with references to three others anywhere
//   epolls    COUNT registrations of one epoll
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string_view>
#include <vector>

#include "heaprake/gc.h"

namespace {

constexpr size_t kPage = 4096;

void require(bool condition, const char* what) {
  if (condition) return;
  std::perror(what);
  std::exit(1);
}

// With a hole behind each, so that the kernel does not merge them.
void make_mappings(size_t count) {
  void* p =
      mmap(nullptr, 2 * count * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  require(p != MAP_FAILED, "mmap");
  auto* page = static_cast<char*>(p);
  for (size_t i = 0; i < count; ++i, page += 2 * kPage) {
    *page = 1;
    require(munmap(page + kPage, kPage) == 0, "munmap");
  }
}

struct Node {
  Node* next[3];
  uint64_t payload[5];
};
std::vector<Node*> nodes;

void make_heap(size_t mib) {
  std::minstd_rand random;
  nodes.resize((mib << 20) / sizeof(Node));
  for (Node*& node : nodes) node = static_cast<Node*>(std::calloc(1, sizeof(Node)));
  for (Node* node : nodes)
    for (Node*& next : node->next) next = nodes[random() % nodes.size()];
}

void make_epolls(size_t count) {
  constexpr rlim_t kSpare = 100;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min(limit.rlim_max, std::max<rlim_t>(limit.rlim_cur, count + kSpare));
  setrlimit(RLIMIT_NOFILE, &limit);
  const int epoll = epoll_create1(0);
  for (size_t i = 0; i < count; ++i) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    require(epoll_ctl(epoll, EPOLL_CTL_ADD, eventfd(0, 0), &event) == 0, "epoll_ctl");
  }
}

double cpu_us() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

void print(std::vector<double>& values, const char* end) {
  std::sort(values.begin(), values.end());
  std::printf("%.0f %.0f%s", values[values.size() / 2], values[values.size() * 99 / 100], end);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string_view what = argv[1];
  const size_t count = std::strtoul(argv[2], nullptr, 10);
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 100;
  gc_disable();
  if (what == "mappings") make_mappings(count);
  if (what == "heap") make_heap(count);
  if (what == "epolls") make_epolls(count);
  std::vector<double> pauses, rests, cpu;
  gc_stats before{}, after{};
  gc_collect();
  gc_get_stats(&before);
  for (int i = 0; i < rounds; ++i) {
    const double began = cpu_us();
    gc_collect();
    cpu.push_back(cpu_us() - began);
    gc_get_stats(&after);
    const uint64_t pause = after.pause_total_ns - before.pause_total_ns;
    const uint64_t apart =
        after.stop_total_ns - before.stop_total_ns + after.mark_total_ns - before.mark_total_ns;
    pauses.push_back(static_cast<double>(pause) / 1000);
    rests.push_back(static_cast<double>(pause - apart) / 1000);
    before = after;
  }
  print(pauses, " ");
  print(rests, " ");
  print(cpu, "\n");
}
