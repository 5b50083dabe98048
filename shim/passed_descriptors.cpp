#include "shim/passed_descriptors.h"

#include "collector/collector.h"
#include "platform/platform.h"

namespace heaprake::shim {
namespace {

void note_header(const cmsghdr& header) {
  if (header.cmsg_level != SOL_SOCKET || header.cmsg_type != SCM_RIGHTS) return;
  struct Passed {
    const int* fds;
    size_t count;
  } passed{reinterpret_cast<const int*>(CMSG_DATA(&header)),
           (header.cmsg_len - CMSG_LEN(0)) / sizeof(int)};
  platform::heaprake_with_context(
      [](const platform::CallContext* context, void* arg) {
        const auto* all = static_cast<const Passed*>(arg);
        collector::note_passed_descriptors(all->fds, all->count,
                                           platform::thread_of_call(*context));
      },
      &passed);
}

}  // namespace

void note_passed_descriptors(const msghdr& message) {
  if (message.msg_controllen < CMSG_LEN(sizeof(int))) [[likely]]
    return;
  auto* all = const_cast<msghdr*>(&message);
  for (cmsghdr* header = CMSG_FIRSTHDR(all); header; header = CMSG_NXTHDR(all, header)) {
    note_header(*header);
  }
}

}  // namespace heaprake::shim
