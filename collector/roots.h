// Roots: every word outside the heap that may hold an address in it.
//
// For each mapping that is readable and not ours:
//   writable, private      touched pages are read where they lie; of file mappings (.data) only the
//                          pages that were written, since the file's own content holds no address
//   not writable, private  pages written before they were protected (relro, JIT code)
//   not readable, private  the same: the program may open it again (guarded)
//   shared and writable    touched pages, through a guarded copy, as a truncated file faults
//   shared, sealed         the same, of memory that no file stands for: another mapping wrote it
//   executable             the same at every byte: compilers at run time put addresses into code
//   a stack                from the lowest stack pointer in it upwards; what lies below is dead,
//   and
//                          nearly all of it when its thread is (dead_stacks.h)
//   blocks with pages that the program has protected (protected_blocks.h), through a guarded copy
// and each thread's registers, plus the words that only the kernel or libc knows: stack pointers,
// thread control blocks, GS bases and alternate signal stacks (these may lie in heap blocks), and
// pins.
#pragma once

#include "collector/mapped_array.h"
#include "collector/protected_blocks.h"
#include "collector/word_rule.h"
#include "heaprake/gc.h"
#include "platform/platform.h"

namespace heaprake::collector {

struct Root {
  platform::Range range;  // 4-byte aligned or better
  gc_reference_kind kind;
  bool guarded;             // read it with AddressSpace::read_guarded
  uintptr_t origin;         // offsets in reports count from here; of GC_REFERENCE_BLOCK: the block
  const char* name;         // interned; "" unless names were asked for
  bool every_byte = false;  // words count wherever they begin: code holds them as operands
  bool must_be_read = false;  // what cannot be read of it the program may open again
  bool shared = false;        // a copy of the process would see what the program writes there later
  uint32_t thread = 0;  // whose stack, registers or local storage: position in the world's list
                        // of threads, plus one; 0: unknown or nobody's. With names only.
};

// A word that was read ahead, since a copy of the process will not have it.
struct EarlyWord {
  uintptr_t address, value;
  uint32_t root;  // position in early_roots()
};

// Words that are references in themselves, in the order in which they stand in RootSet::words().
enum class WordKind { kThread, kPinned, kKernel };

// A gap (RootSet::gap).
inline constexpr char kUnreadable[] = "memory that the program has protected cannot be read";

class RootSet {
 public:
  // Collects the roots of a stopped world. false: something could not be seen or stored, so nothing
  // may be freed on this evidence. `with_names` costs time and is for reports.
  bool build(const platform::World& world, const platform::AddressSpace& space, bool with_names);
  void clear();

  const MappedArray<Root>& ranges() const { return ranges_; }
  // Words that are references in themselves; of each thread so many.
  static constexpr size_t kWordsOfThread = 4;
  const MappedArray<uintptr_t>& words() const { return words_; }
  WordKind kind_of_word(size_t position) const {
    if (position < thread_words_) return WordKind::kThread;
    return position < pinned_words_ ? WordKind::kPinned : WordKind::kKernel;
  }
  // One that is known to the caller; not for reports.
  bool add_word(uintptr_t word) { return words_.push(word); }

  // Before a copy of the process is made: reads now what it would not have, so that what is left
  // can be read there. false: no copy will do.
  bool prepare_for_copy(const platform::AddressSpace& space, WordRule rule);
  const MappedArray<Root>& early_roots() const { return early_roots_; }
  const MappedArray<EarlyWord>& early_words() const { return early_words_; }

  // What could not be seen, a sentence without full stop; nullptr if nothing. With names; otherwise
  // build() has failed.
  const char* gap() const { return gap_; }
  // Something that turned out afterwards.
  void note_gap(const char* what) { gap_ = what; }
  size_t bytes() const { return bytes_; }
  // The process has loaded a library that is known to keep pointers in a form that no scan can see
  // (as distances from the bases of its own areas): unreachable proves nothing. nullptr, or its
  // name.
  const char* hidden_by() const { return hidden_by_; }
  // Forms of pointers that the loaded libraries keep.
  Disguises disguises() const { return disguises_; }
  // Whether they have ever been looked for; looks now, under the collector's lock.
  bool disguises_known() const { return disguises_known_; }
  bool look_for_disguises();
  // Whether a thread is at work in a library that keeps pointers as distances. While it moves an
  // array they are distances from where the array was.
  bool may_be_moving_distances(const platform::World& world) const;
  // Alive, and not to be read: their content is among the ranges.
  const ProtectedBlocks& protected_blocks() const { return protected_; }

 private:
  struct Module {
    uintptr_t base = 0;   // of the module whose mappings are being visited
    uintptr_t end = 0;    // of its last mapping so far
    uintptr_t limit = 0;  // where its last page ends; 0: a file that is no module
    const char* name = "";
  };
  bool visit_mapping(const platform::World& world, const platform::AddressSpace& space,
                     const platform::Mapping& mapping);
  // A mapping, or as much of it as belongs to a module or to none.
  bool visit_part(const platform::World& world, const platform::AddressSpace& space,
                  const platform::Mapping& mapping);
  void note_hidden_pointers(const platform::Mapping& mapping);
  bool may_be_dead_stack(const platform::World& world, const platform::Mapping& mapping) const;
  void follow_module(const platform::AddressSpace& space, const platform::Mapping& mapping);
  bool visit_stack(const platform::World& world, const platform::AddressSpace& space,
                   const platform::Mapping& mapping, Root root);
  bool add_shared_file(const platform::AddressSpace& space, const platform::Mapping& mapping,
                       const Root& like);
  bool add_named_roots(const platform::AddressSpace& space, const platform::Mapping& mapping);
  bool add_touched(const platform::AddressSpace& space, platform::Range range,
                   platform::Pages pages, const Root& like);
  bool add_waiting(const platform::AddressSpace& space);
  bool add_protected_blocks(const platform::AddressSpace& space);
  bool add_thread(const platform::StoppedThread& thread, uint32_t number);
  bool add_held_words(const platform::World& world);
  bool read_early(const platform::AddressSpace& space, const Root& root, WordRule rule);
  bool add(const Root& root);

  MappedArray<Root> ranges_;
  // In address order: which of their pages are touched is asked for many at once. What they become
  // stands at the same position.
  MappedArray<platform::PageQuery> queries_;
  MappedArray<Root> waiting_;
  MappedArray<uintptr_t> words_;
  size_t thread_words_ = 0;  // the first so many are threads'
  size_t pinned_words_ = 0;  // and up to here they are pins
  MappedArray<Root> early_roots_;
  MappedArray<EarlyWord> early_words_;
  MappedArray<platform::Range> copy_gaps_;
  const char* gap_ = nullptr;
  size_t bytes_ = 0;
  ProtectedBlocks protected_;
  bool with_names_ = false;
  const char* hidden_by_ = nullptr;
  Disguises disguises_ = 0;
  bool disguises_known_ = false;
  platform::Range distance_code_;  // of the library of kDistance
  uintptr_t guard_end_ = 0;        // of the last mapping without permissions
  bool any_named_roots_ = false;   // from gc_add_root
  bool all_tcbs_known_ = false;    // of the threads of this world
  bool saw_own_stack_ = false;     // a list of mappings without the caller's stack is not a list
  Module module_;
};

}  // namespace heaprake::collector
