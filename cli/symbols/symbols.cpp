#include "cli/symbols/symbols.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "cli/text.h"

namespace heaprake::cli {

namespace {

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// Functions that hand out memory: every stack would begin with them.
bool is_allocation(const Frame& frame) {
  static constexpr std::array kNames = {
      "malloc",          "calloc",         "realloc",
      "reallocarray",    "memalign",       "aligned_alloc",
      "valloc",          "pvalloc",        "__libc_malloc",
      "posix_memalign",  "__libc_calloc",  "__libc_realloc",
      "__libc_memalign", "gc_malloc_leaf", "heaprake_malloc_leaf"};
  if (base_name(frame.module).starts_with("libheaprake.so")) return true;
  const std::string_view name = frame.function;
  return name.starts_with("operator new") ||
         std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string thread_words(const Snapshot& snapshot, uint32_t number) {
  if (number == 0 || number >= snapshot.threads.size()) return "a thread";
  const Thread& thread = snapshot.threads[number];
  std::string words = thread.flags & HEAPRAKE_THREAD_MAIN ? std::string("the main thread")
                                                          : "thread " + std::to_string(thread.tid);
  if (!thread.name.empty() && !(thread.flags & HEAPRAKE_THREAD_MAIN))
    words += " (" + thread.name + ")";
  return words;
}

}  // namespace

struct Symbols::Impl {
  Impl(const Snapshot& s, SharedFiles shared) : snapshot(s), files(or_own(std::move(shared), s)) {}

  const Snapshot& snapshot;
  const SharedFiles files;
  // There may be millions of them. When the new ones are many, those not asked for since they were
  // few are forgotten.
  using Stacks = std::unordered_map<uint32_t, std::vector<Frame>>;
  static constexpr size_t kMany = 4096;
  Stacks recent, older;
  std::map<std::pair<int32_t, uint64_t>, std::vector<Frame>> places;

  const std::vector<Frame>& frames_of(const Pc& pc);
  // A place for the stack, and whether it is a new one. It stays where it is as it ages.
  std::pair<std::vector<Frame>*, bool> place_of(uint32_t id);
};

std::pair<std::vector<Frame>*, bool> Symbols::Impl::place_of(uint32_t id) {
  if (const auto found = recent.find(id); found != recent.end()) return {&found->second, false};
  if (recent.size() >= kMany) {
    older = std::move(recent);
    recent.clear();
  }
  if (auto known = older.extract(id))
    return {&recent.insert(std::move(known)).position->second, false};
  return {&recent[id], true};
}

const std::vector<Frame>& Symbols::Impl::frames_of(const Pc& pc) {
  const auto [at, fresh] = places.try_emplace({pc.module, pc.offset});
  std::vector<Frame>& frames = at->second;
  if (!fresh) return frames;
  Frame frame;
  frame.offset = pc.offset;
  if (pc.module >= 0) {
    const auto module = static_cast<uint32_t>(pc.module);
    frame.module = snapshot.modules[module].path;
    frame.module_closed = !(snapshot.modules[module].flags & HEAPRAKE_MODULE_LOADED);
    // A return address may be the first byte of the next function: the call is before it.
    if (ModuleFile* file = files->names(module); file && pc.offset > 0) {
      for (SourcePlace& place : file->places(pc.offset - 1)) {
        frame.function = std::move(place.function);
        frame.file = std::move(place.file);
        frame.line = place.line;
        frame.inlined = true;
        frames.push_back(frame);
      }
    }
  }
  if (frames.empty()) frames.push_back(frame);
  frames.back().inlined = false;
  return frames;
}

Symbols::Symbols(const Snapshot& snapshot, SharedFiles files)
    : impl_(std::make_unique<Impl>(snapshot, std::move(files))) {}
Symbols::~Symbols() = default;

const std::vector<Frame>& Symbols::stack(uint32_t id) {
  const auto [place, fresh] = impl_->place_of(id);
  std::vector<Frame>& frames = *place;
  if (!fresh || id == 0 || id + size_t{1} >= impl_->snapshot.stack_first.size()) return frames;
  for (const Pc& pc : impl_->snapshot.stack_of(id)) {
    const std::vector<Frame>& more = impl_->frames_of(pc);
    frames.insert(frames.end(), more.begin(), more.end());
  }
  const auto caller = std::find_if_not(frames.begin(), frames.end(), is_allocation);
  // A stack of nothing else is better than none.
  if (caller != frames.end()) frames.erase(frames.begin(), caller);
  return frames;
}

std::optional<Symbol> Symbols::data(uint32_t module, uint64_t offset) {
  ModuleFile* file = impl_->files->names(module);
  if (!file) return std::nullopt;
  const std::optional<FileSymbol> symbol = file->data(offset);
  if (!symbol) return std::nullopt;
  return Symbol{symbol->name, offset - symbol->address};
}

std::string Symbols::describe(const RootReference& root) {
  const Snapshot& snapshot = impl_->snapshot;
  switch (root.kind) {
    case GC_REFERENCE_GLOBAL: {
      if (root.where >= snapshot.modules.size()) return "a global at " + hexadecimal(root.address);
      const Module& module = snapshot.modules[root.where];
      const uint64_t offset = root.address - module.load;
      const std::optional<Symbol> symbol = data(root.where, offset);
      if (!symbol) return "a global in " + base_name(module.path) + "+" + hexadecimal(offset);
      std::string words = symbol->name + " in " + base_name(module.path);
      if (symbol->offset != 0) words += " + " + std::to_string(symbol->offset);
      return words;
    }
    case GC_REFERENCE_STACK:
      return (is_in_dead_frame(snapshot, root) ? "a dead frame in the stack of " : "stack of ") +
             thread_words(snapshot, root.where);
    case GC_REFERENCE_REGISTER:
      return "a register of " + thread_words(snapshot, root.where);
    case GC_REFERENCE_TLS:
      return "thread-local storage of " + thread_words(snapshot, root.where);
    case GC_REFERENCE_PINNED:
      return "pinned";
    default:
      break;
  }
  const std::string name =
      root.name < snapshot.strings.size() ? snapshot.strings[root.name] : std::string();
  return (name.empty() ? "mapped memory" : name) + " at " + hexadecimal(root.address);
}

const std::vector<std::string>& Symbols::notes() const {
  return impl_->files->notes();
}

}  // namespace heaprake::cli
