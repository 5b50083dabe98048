// A cache that keeps nothing alive: it holds weak references, so an image is shared for as long as
// somebody uses it, and gone when nobody does. No reference counts, no eviction policy.
#include <cstdio>
#include <map>
#include <string>

#include "heaprake/gc.hpp"

namespace {

struct Image {
  explicit Image(std::string file) : file(std::move(file)) {
    std::printf("loading %s\n", this->file.c_str());
  }
  ~Image() { std::printf("dropping %s\n", file.c_str()); }
  std::string file;
  char pixels[100'000] = {};
};

std::map<std::string, gc::weak<Image>> cache;

[[gnu::noinline]] Image* load(const std::string& file) {
  if (Image* known = cache[file].get()) return known;
  auto* image = gc::make<Image>(file);
  cache[file] = gc::weak<Image>(image);
  return image;
}

Image* shown = nullptr;

[[gnu::noinline]] void show_two() {
  shown = load("cat.png");
  load("dog.png");
  std::printf("the same cat: %s\n", load("cat.png") == shown ? "yes" : "no");
}

[[gnu::noinline]] void clear_dead_stack() {
  volatile char dead[16384];
  for (volatile char& byte : dead) byte = 0;
}

[[gnu::noinline]] void collect_and_tell() {
  clear_dead_stack();
  gc::collect();
  for (const auto& [file, image] : cache) {
    std::printf("%s is %s\n", file.c_str(), image.expired() ? "gone" : "cached");
  }
}

}  // namespace

int main() {
  gc::disable_scope by_hand;
  show_two();
  collect_and_tell();  // nobody looks at the dog
  clear_dead_stack();
  shown = nullptr;
  collect_and_tell();
}
