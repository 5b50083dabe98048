// A plug-in with blocks of its own, some of which outlive it.
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {
std::vector<std::string>* words = new std::vector<std::string>(1000, std::string(100, 'w'));
}

extern "C" char* make_block(const char* text) {
  return strdup(text);
}
extern "C" size_t count_words() {
  return words->size();
}

__attribute__((destructor)) static void close() {
  delete words;
}
