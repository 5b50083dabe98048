// Loses objects that refer to parts of themselves, none of which keeps the object alive, and at
// last one whose part does refer to it.
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Index {
  std::string text;
  std::map<int, std::string_view> words;
};

struct Cursor {
  std::map<int, int> all;
  std::map<int, int>::iterator at;
};

struct Tree {
  struct Child {
    Tree* parent;
    long weight;
  };
  std::vector<Child> children;
};

template <class T>
T* volatile last = nullptr;

__attribute__((noinline)) void lose_views() {
  auto* index = new Index;
  index->text.assign(100, 'w');
  for (int i = 0; i < 5; ++i) index->words[i] = std::string_view(index->text).substr(0, 5);
  auto* cursor = new Cursor;
  for (int i = 0; i < 5; ++i) cursor->all[i] = i;
  cursor->at = cursor->all.find(3);
  last<Index> = index;
  last<Index> = nullptr;
  last<Cursor> = cursor;
  last<Cursor> = nullptr;
}

__attribute__((noinline)) void lose_tree() {
  auto* tree = new Tree;
  for (long i = 0; i < 3; ++i) tree->children.push_back({tree, i});
  last<Tree> = tree;
  last<Tree> = nullptr;
}

__attribute__((noinline)) void overwrite_stack() {
  volatile char bytes[8192];
  std::memset(const_cast<char*>(bytes), 0, sizeof bytes);
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1)
    lose_tree();
  else
    lose_views();
  overwrite_stack();
  return 0;
}
