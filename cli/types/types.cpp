#include "cli/types/types.h"

#include <algorithm>
#include <span>
#include <unordered_map>
#include <utility>

#include "cli/types/coroutines.h"
#include "cli/types/vtables.h"

namespace heaprake::cli {

namespace {

class Finder {
 public:
  Finder(const Snapshot& snapshot, const Progress& progress, SharedFiles files)
      : snapshot_(snapshot),
        progress_(progress),
        files_(or_own(std::move(files), snapshot)),
        vtables_(snapshot, files_),
        coroutines_(snapshot, files_) {
    types_.all.resize(1);
    types_.of.assign(snapshot.blocks(), 0);
    types_.sources.assign(snapshot.blocks(), TypeSource::kNone);
  }

  Types run() {
    const uint32_t blocks = snapshot_.blocks();
    for (uint32_t block = 0; block < blocks; ++block) {
      if (block % (1 << 20) == 0) report_progress(progress_, "telling types", block, blocks);
      if (!snapshot_.type.empty() && snapshot_.type[block] != 0)
        set(block, of_name(snapshot_.strings[snapshot_.type[block]], program()), TypeSource::kName);
      else if (!snapshot_.words_of(block).empty())
        look_at_words(block);
    }
    for (uint32_t block : owners_) tell_owned(block);
    tell_by_stacks();
    return std::move(types_);
  }

 private:
  void set(uint32_t block, uint32_t type, TypeSource source) {
    types_.of[block] = type;
    types_.sources[block] = source;
  }

  uint32_t add(Type type) {
    types_.all.push_back(std::move(type));
    return static_cast<uint32_t>(types_.all.size() - 1);
  }

  // A type without vtable, by its full name; the module is where debug information may know it.
  uint32_t of_name(const std::string& name, uint32_t module) {
    const auto [found, fresh] = by_name_.try_emplace(name, 0);
    if (fresh) found->second = add({short_type(name), name, {}, module});
    return found->second;
  }

  uint32_t program() const {
    for (uint32_t i = 0; i < snapshot_.modules.size(); ++i)
      if (snapshot_.modules[i].flags & HEAPRAKE_MODULE_PROGRAM) return i;
    return UINT32_MAX;
  }

  // 0 if the word is no vtable.
  uint32_t of_vtable(uint64_t word) {
    const auto [found, fresh] = by_vtable_.try_emplace(word, 0);
    if (!fresh) return found->second;
    const std::string& name = vtables_.class_at(word);
    if (name.empty()) return 0;
    Type type{short_type(name), name, control_block(name), vtables_.module_at(word),
              vtables_.bases_at(word)};
    if (type.control && type.control->inplace) {
      type.full_name = type.control->object;
      type.name = short_type(type.full_name);
    }
    return found->second = add(std::move(type));
  }

  void look_at_words(uint32_t block) {
    const PackedWords words = snapshot_.words_of(block);
    if (words.size() > 1 && vtables_.may_be_one(words[1]) && look_at_frame(block, words)) return;
    if (vtables_.may_be_one(words[0])) {
      const uint32_t type = of_vtable(words[0]);
      if (type == 0) return;
      const std::optional<ControlBlock>& control = types_.all[type].control;
      set(block, type, control ? TypeSource::kControlBlock : TypeSource::kVtable);
      if (control && !control->inplace) owners_.push_back(block);
    } else if (words.size() > 1 && vtables_.may_be_one(words[1])) {
      look_at_array(block, words);
    }
  }

  // A coroutine's, which has two functions at its start; the first is gone once it has finished.
  bool look_at_frame(uint32_t block, const PackedWords& words) {
    if (words[0] != 0 && !vtables_.may_be_one(words[0])) return false;
    const Coroutine coroutine = coroutines_.with(words[0], words[1]);
    if (coroutine.kind == Coroutine::Kind::kNone) return false;
    const std::span<const BlockEdge> edges = snapshot_.edges_of(block);
    // Behind the promise, which takes a word at least.
    const bool holds_itself = std::any_of(edges.begin(), edges.end(), [&](const BlockEdge& edge) {
      return edge.to == block && edge.inner == 0 && edge.offset >= 24;
    });
    using enum Coroutine::Kind;
    const bool nameless = coroutine.kind == kNameless;
    // Two functions may stand at the start of anything: without names they prove too little.
    if (nameless && !holds_itself) return false;
    const uint32_t type = of_name(coroutine.name, UINT32_MAX);
    types_.all[type].holds_itself = coroutine.kind != kClangs;
    types_.all[type].nameless_code = nameless;
    set(block, type, TypeSource::kCode);
    return true;
  }

  // new T[n] of a T with a destructor: n stands in front of the first element.
  void look_at_array(uint32_t block, const PackedWords& words) {
    const uint64_t count = words[0], bytes = snapshot_.requested[block] - 8;
    if (!is_array_count(count, snapshot_.requested[block])) return;
    const uint64_t step = bytes / count / 8;
    if (step == 0 || bytes / count % 8 != 0) return;
    const uint32_t type = of_vtable(words[1]);
    if (type == 0) return;
    if (count > 1 && 1 + step < words.size() && words[1 + step] != words[1]) return;
    const std::string name = types_.all[type].full_name + "[" + std::to_string(count) + "]";
    set(block, of_name(name, types_.all[type].module), TypeSource::kVtable);
  }

  // What a control block that lies apart points to.
  void tell_owned(uint32_t block) {
    const ControlBlock control = *types_.type(block).control;
    const uint32_t module = types_.type(block).module;
    const uint64_t place = control.pointer_offset(snapshot_.requested[block]);
    for (const BlockEdge& edge : snapshot_.edges_of(block)) {
      if (edge.offset != place || edge.inner != 0 || types_.of[edge.to] != 0) continue;
      set(edge.to, of_name(control.object, module), TypeSource::kControlBlock);
    }
  }

  // What all blocks of known type from a stack are, the others of the same size are, too.
  void tell_by_stacks() {
    constexpr uint32_t kSeveral = UINT32_MAX;
    std::unordered_map<uint64_t, uint32_t> of_kind;
    const auto kind = [this](uint32_t block) {
      return uint64_t{snapshot_.stack[block]} << 32 | (snapshot_.requested[block] & 0xffffffff);
    };
    for (uint32_t block = 0; block < snapshot_.blocks(); ++block) {
      if (snapshot_.stack[block] == 0 || types_.of[block] == 0) continue;
      const auto [found, fresh] = of_kind.try_emplace(kind(block), types_.of[block]);
      if (found->second != types_.of[block]) found->second = kSeveral;
    }
    if (of_kind.empty()) return;
    for (uint32_t block = 0; block < snapshot_.blocks(); ++block) {
      if (snapshot_.stack[block] == 0 || types_.of[block] != 0) continue;
      const auto found = of_kind.find(kind(block));
      if (found != of_kind.end() && found->second != kSeveral)
        set(block, found->second, TypeSource::kStack);
    }
  }

  const Snapshot& snapshot_;
  const Progress& progress_;
  const SharedFiles files_;
  Vtables vtables_;
  Coroutines coroutines_;
  Types types_;
  std::unordered_map<uint64_t, uint32_t> by_vtable_;
  std::unordered_map<std::string, uint32_t> by_name_;
  std::vector<uint32_t> owners_;  // control blocks that lie apart
};

}  // namespace

bool is_array_count(uint64_t word, uint64_t requested) {
  return requested >= 2 * sizeof word && word != 0 && (requested - sizeof word) % word == 0;
}

const char* name_of(TypeSource source) {
  switch (source) {
    case TypeSource::kNone:
      return "";
    case TypeSource::kVtable:
      return "vtable";
    case TypeSource::kControlBlock:
      return "control block";
    case TypeSource::kName:
      return "name";
    case TypeSource::kCode:
      return "code";
    case TypeSource::kStack:
      return "stack";
  }
  return "";
}

Types find_types(const Snapshot& snapshot, const Progress& progress, SharedFiles files) {
  return Finder(snapshot, progress, std::move(files)).run();
}

}  // namespace heaprake::cli
