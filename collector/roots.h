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
};

class RootSet {
 public:
  // Collects the roots of a stopped world. false: something could not be seen or stored, so nothing
  // may be freed on this evidence. `with_names` costs time and is for reports.
  bool build(const platform::World& world, const platform::AddressSpace& space, bool with_names);
  void clear();

  const MappedArray<Root>& ranges() const { return ranges_; }
  // Words that are references in themselves.
  const MappedArray<uintptr_t>& words() const { return words_; }
  size_t bytes() const { return bytes_; }
  // The process has loaded a library that is known to keep pointers in a form that no scan can see
  // (as distances from something else): unreachable proves nothing. nullptr, or its name.
  const char* hidden_by() const { return hidden_by_; }
  // Alive, and not to be read: their content is among the ranges.
  const ProtectedBlocks& protected_blocks() const { return protected_; }

 private:
  struct Module {
    uintptr_t base = 0;  // of the module whose mappings are being visited
    uintptr_t end = 0;   // of its last mapping so far
    const char* name = "";
  };
  bool visit_mapping(const platform::World& world, const platform::AddressSpace& space,
                     const platform::Mapping& mapping);
  void note_hidden_pointers(const platform::Mapping& mapping);
  bool may_be_dead_stack(const platform::World& world, const platform::Mapping& mapping) const;
  void follow_module(const platform::Mapping& mapping);
  bool visit_stack(const platform::World& world, const platform::AddressSpace& space,
                   const platform::Mapping& mapping, Root root);
  bool add_named_roots(const platform::AddressSpace& space, const platform::Mapping& mapping);
  bool add_touched(const platform::AddressSpace& space, platform::Range range,
                   platform::Pages pages, const Root& like);
  bool add_protected_blocks(const platform::AddressSpace& space);
  bool add_thread(const platform::StoppedThread& thread);
  bool add(const Root& root);

  MappedArray<Root> ranges_;
  MappedArray<uintptr_t> words_;
  size_t bytes_ = 0;
  ProtectedBlocks protected_;
  bool with_names_ = false;
  const char* hidden_by_ = nullptr;
  uintptr_t guard_end_ = 0;       // of the last mapping without permissions
  bool any_named_roots_ = false;  // from gc_add_root
  bool all_tcbs_known_ = false;   // of the threads of this world
  bool saw_own_stack_ = false;    // a list of mappings without the caller's stack is not a list
  Module module_;
};

}  // namespace heaprake::collector
