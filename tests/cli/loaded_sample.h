// A build of names_sample.cpp in this process, and a snapshot that knows its stack.
#pragma once

#include <dlfcn.h>
#include <link.h>

#include <cstring>
#include <string>

#include "cli/snapshot/snapshot.h"
#include "names_sample.h"

namespace heaprake::cli::test {

class LoadedSample {
 public:
  // Of its functions that fill a Capture, the one to be run.
  explicit LoadedSample(const std::string& path, const char* function = "names_sample")
      : path_(path) {
    handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    dlinfo(handle_, RTLD_DI_LINKMAP, &map_);
    auto* run = reinterpret_cast<decltype(&names_sample)>(dlsym(handle_, function));
    run(&capture_);
  }
  ~LoadedSample() { dlclose(handle_); }
  LoadedSample(const LoadedSample&) = delete;
  LoadedSample& operator=(const LoadedSample&) = delete;

  uint64_t load() const { return map_->l_addr; }
  uint64_t offset_of(const char* symbol) const {
    return reinterpret_cast<uint64_t>(dlsym(handle_, symbol)) - load();
  }

  // Stack 1 is the sample's, as far as it lies in the library; module 0 is the library.
  Snapshot snapshot() const {
    Snapshot snapshot;
    snapshot.header.pid = 4711;
    snapshot.modules.push_back(
        {load(), load(), load() + 0x10000, HEAPRAKE_MODULE_LOADED, build_id(), path_});
    snapshot.threads.resize(2);
    snapshot.threads[1] = {4712, HEAPRAKE_THREAD_ALIVE, "worker"};
    snapshot.strings = {""};
    for (const void* pc : capture_.pcs)
      snapshot.frames.push_back({0, reinterpret_cast<uint64_t>(pc) - load()});
    snapshot.stack_first = {0, 0, snapshot.frames.size()};
    snapshot.edge_first = snapshot.word_first = {0};
    return snapshot;
  }

  std::string build_id() const {
    std::pair<uint64_t, std::string> search(load(), "");
    dl_iterate_phdr(
        [](dl_phdr_info* info, size_t, void* argument) {
          auto* wanted = static_cast<std::pair<uint64_t, std::string>*>(argument);
          if (info->dlpi_addr == wanted->first) wanted->second = note_of(*info);
          return 0;
        },
        &search);
    return search.second;
  }

 private:
  static std::string note_of(const dl_phdr_info& info) {
    for (int i = 0; i < info.dlpi_phnum; ++i) {
      const ElfW(Phdr)& segment = info.dlpi_phdr[i];
      if (segment.p_type != PT_NOTE) continue;
      const char* at = reinterpret_cast<const char*>(info.dlpi_addr + segment.p_vaddr);
      const char* end = at + segment.p_memsz;
      while (at + sizeof(ElfW(Nhdr)) <= end) {
        ElfW(Nhdr) note;
        std::memcpy(&note, at, sizeof note);
        const char* name = at + sizeof note;
        const char* content = name + (note.n_namesz + 3) / 4 * 4;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4) return {content, note.n_descsz};
        at = content + (note.n_descsz + 3) / 4 * 4;
      }
    }
    return "";
  }

  std::string path_;
  void* handle_ = nullptr;
  link_map* map_ = nullptr;
  Capture capture_{};
};

}  // namespace heaprake::cli::test
