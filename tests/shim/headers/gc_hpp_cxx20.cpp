#include <heaprake/gc.hpp>

std::size_t use_gc_hpp();
std::size_t use_gc_hpp() {
  gc::disabled no_automatic_collection;
  int* block = new int(1);
  gc::pinned keep(block);
  std::size_t n = gc::collect() + gc::objects().size() + gc::referrers(gc::id(block)).size() +
                  gc::referents(block).size() + gc::get_threshold().bytes;
  delete block;
  return n;
}
