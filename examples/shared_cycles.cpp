// Plain C++ that has never heard of heaprake: a tree whose nodes know their parents by shared_ptr,
// so that no tree is ever freed. Natively it needs more than a hundred MiB; under `heaprake run`
// the trees vanish.
#include <sys/resource.h>

#include <cstdio>
#include <memory>
#include <vector>

namespace {

struct Folder {
  std::shared_ptr<Folder> parent;  // weak_ptr would have been right
  std::vector<std::shared_ptr<Folder>> children;
  char name[64] = {};
};

std::shared_ptr<Folder> make_tree(int depth) {
  auto folder = std::make_shared<Folder>();
  for (int i = 0; depth > 0 && i < 3; ++i) {
    folder->children.push_back(make_tree(depth - 1));
    folder->children.back()->parent = folder;
  }
  return folder;
}

size_t count(const Folder& folder) {
  size_t sum = 1;
  for (const auto& child : folder.children) sum += count(*child);
  return sum;
}

}  // namespace

int main() {
  size_t folders = 0;
  for (int i = 0; i < 1500; ++i) folders += count(*make_tree(6));
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%zu folders were made and dropped\n", folders);
  std::printf("peak memory: %s 150 MiB\n", usage.ru_maxrss < 150 * 1024 ? "below" : "above");
}
