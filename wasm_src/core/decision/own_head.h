// A last layer of somebody's own in place of the network's: logits = W embedding + b. learn/head.h trains one.
#pragma once

#include <span>
#include <vector>

#include "expected.h"

namespace dermlet {

struct OwnHead {
  std::span<const float> weights;  // K rows of D
  std::span<const float> bias;     // K
};

// Of one embedding of D values, in double. Errors: kInvalidArgument (lengths that do not fit, a score that is not
// finite).
[[nodiscard]] Expected<std::vector<float>> logits_of(const OwnHead& head, std::span<const float> embedding);

}  // namespace dermlet
