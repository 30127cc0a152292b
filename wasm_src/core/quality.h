// Is the picture good enough to be scored? Each check reports what it measured and the limit it was held against.
#pragma once

#include <string_view>
#include <vector>

#include "image.h"

namespace dermlet {

struct QualityLimits {
  int min_side = 0;       // shorter side of the region shown to the network, pixels
  float min_contrast = 0;  // standard deviation of luma (ITU-R BT.601) in the view, levels of 255
};

struct QualityCheck {
  std::string_view id;  // "too_small" or "flat"
  float value = 0;
  float limit = 0;
  bool passed = true;
};

struct Quality {
  bool usable = true;
  std::vector<QualityCheck> checks;
};

// `view` is what the network is shown, RGB8; `region` is the part of the upright picture that it was made from.
[[nodiscard]] Quality assess(const Image& view, const Rect& region, const QualityLimits& limits);

}  // namespace dermlet
