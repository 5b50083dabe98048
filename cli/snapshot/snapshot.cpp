#include "cli/snapshot/snapshot.h"

#include <algorithm>

namespace heaprake::cli {

namespace {

// So many blocks share a bucket on average, where the heap has no holes.
constexpr uint64_t kPerBucket = 8;

}  // namespace

void Snapshot::index_blocks() {
  bucket_first.clear();
  if (address.empty()) return;
  const uint64_t span = address.back() - address.front();
  const uint64_t most = address.size() / kPerBucket + 1;
  bucket_shift = 4;
  while ((span >> bucket_shift) >= most) ++bucket_shift;
  bucket_first.assign((span >> bucket_shift) + 2, blocks());
  for (uint32_t block = blocks(); block-- > 0;)
    bucket_first[(address[block] - address[0]) >> bucket_shift] = block;
  // An empty bucket begins where the next one does.
  for (size_t i = bucket_first.size() - 1; i-- > 0;)
    bucket_first[i] = std::min(bucket_first[i], bucket_first[i + 1]);
}

uint32_t Snapshot::block_at(uint64_t place) const {
  if (address.empty() || place < address[0]) return UINT32_MAX;
  const uint64_t bucket =
      std::min<uint64_t>((place - address[0]) >> bucket_shift, bucket_first.size() - 2);
  const auto first = address.begin() + bucket_first[bucket];
  const auto last = address.begin() + bucket_first[bucket + 1];
  const auto after = std::upper_bound(first, last, place);
  if (after == address.begin()) return UINT32_MAX;
  const auto block = static_cast<uint32_t>(after - address.begin() - 1);
  return place - address[block] < size[block] ? block : UINT32_MAX;
}

bool is_in_dead_frame(const Snapshot& snapshot, const RootReference& root) {
  return root.kind == GC_REFERENCE_STACK && root.name < snapshot.strings.size() &&
         snapshot.strings[root.name] == HEAPRAKE_SNAPSHOT_DEAD_FRAME;
}

}  // namespace heaprake::cli
