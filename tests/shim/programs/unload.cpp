// Opens and closes a plug-in many times; blocks that it made stay good after it is gone.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

int main(int, char** argv) {
  std::vector<char*> kept;
  for (int i = 0; i < 50; ++i) {
    void* plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!plugin) return 2;
    auto make_block = reinterpret_cast<char* (*)(const char*)>(dlsym(plugin, "make_block"));
    auto count_words = reinterpret_cast<size_t (*)()>(dlsym(plugin, "count_words"));
    if (!make_block || !count_words || count_words() != 1000) return 3;
    kept.push_back(make_block(std::to_string(i).c_str()));
    for (int j = 0; j < 1000; ++j) std::memset(std::malloc(1000), j, 1000);
    dlclose(plugin);
  }
  for (int i = 0; i < 50; ++i) {
    if (kept[i] != std::to_string(i)) return 4;
    std::free(kept[i]);
  }
  std::puts("all blocks outlived the plug-in");
}
