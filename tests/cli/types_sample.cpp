// A library with classes of every kind that a first word tells, for types_test to make objects of
// without knowing them. Compiled several times: with and without position-independent names, and
// stripped.
#include <memory>
#include <string>

namespace sample {

struct Base {
  virtual ~Base() = default;
  int number = 1;
};
struct Other {
  virtual ~Other() = default;
  long number = 2;
};
struct Derived : Base, Other {
  Base* next_ = nullptr;
  Other* parts_[3] = {};
  std::string name_;
};

namespace {
struct Hidden : Base {
  int more = 3;
};
}  // namespace

template <class T>
struct Holder : Base {
  T value{};
};

struct Plain {
  Plain* next = nullptr;
  long payload = 7;
};

}  // namespace sample

extern "C" {
// Objects that the caller never gives back: this is about what they look like.
void* sample_base() {
  return new sample::Base;
}
void* sample_derived() {
  return new sample::Derived;
}
void* sample_hidden() {
  return new sample::Hidden;
}
void* sample_holder() {
  return new sample::Holder<std::string>;
}
void* sample_array() {
  return reinterpret_cast<char*>(new sample::Base[3]) - 8;
}
void* sample_second_base() {
  return static_cast<sample::Other*>(new sample::Derived);
}
// A shared_ptr, and where its control block is: {object, control block}.
void sample_make_shared(void** words) {
  auto* pointer = new std::shared_ptr<sample::Plain>(std::make_shared<sample::Plain>());
  __builtin_memcpy(words, pointer, 16);
}
void sample_shared_apart(void** words) {
  auto* pointer = new std::shared_ptr<sample::Plain>(new sample::Plain);
  __builtin_memcpy(words, pointer, 16);
}
// One whose deleter owns another object: {object, control block, the other object}.
void sample_shared_with_deleter(void** words) {
  std::shared_ptr<sample::Other> other(new sample::Other);
  auto* pointer = new std::shared_ptr<sample::Plain>(
      new sample::Plain, [other](sample::Plain* plain) { delete plain; });
  __builtin_memcpy(words, pointer, 16);
  words[2] = other.get();
}
}
