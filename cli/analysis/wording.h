// What a finding is called, and what to do about it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "cli/analysis/example.h"
#include "cli/analysis/finding.h"
#include "cli/analysis/folding.h"
#include "cli/analysis/structures.h"
#include "cli/types/fields.h"
#include "cli/types/types.h"

namespace heaprake::cli {

// By its type, or its length.
std::string called(const Member& member);

// Once the finding's members, edges, counts and shape are known. All arguments must outlive it.
class Wording {
 public:
  Wording(const Types& types, Fields& fields, const Folding& folding, const Structure& structure,
          const Example& example, const Finding& finding)
      : types_(types),
        fields_(fields),
        folding_(folding),
        structure_(structure),
        example_(example),
        finding_(finding) {}

  std::string title() const;
  // "" if there is none.
  std::string advice() const;

 private:
  std::string ring() const;
  std::string weak_advice() const;
  bool may_be_plain(size_t edge) const;
  std::optional<size_t> doubtful_owner() const;
  std::string pointer(const FindingEdge& edge) const;
  std::string place_of(const FindingEdge& edge) const;
  std::string target_of(const FindingEdge& edge) const;

  const Types& types_;
  Fields& fields_;
  const Folding& folding_;
  const Structure& structure_;
  const Example& example_;
  const Finding& finding_;
};

}  // namespace heaprake::cli
