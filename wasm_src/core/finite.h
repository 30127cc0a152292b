// Numbers from outside (a network's outputs, a file's tables) before they are computed with.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace dermlet {

[[nodiscard]] inline bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

}  // namespace dermlet
