// Class activation maps -> an overlay to lay over the picture.
//
// The maps are exact (Zhou et al. 2016, head applied before pooling): the mean of class k's map is its logit. Softmax
// knows only differences, so what is drawn for class k is its map less the mean of all classes' maps at the same place;
// its mean is the logit less the mean logit. Negative values (evidence for other classes) are not drawn. The grid is
// divided by its greatest value, enlarged bicubically and coloured with alpha.
#pragma once

#include <span>
#include <vector>

#include "expected.h"
#include "image.h"

namespace dermlet {

inline constexpr int kMaxGrid = 256;      // rows or columns of a map
inline constexpr int kMaxOverlay = 8192;  // pixels a side

struct HeatMap {
  int class_index = 0;
  int rows = 0;
  int columns = 0;
  std::vector<float> values;  // rows * columns, 0..1 relative to the greatest; all 0 when nothing speaks for the class
  Image overlay;              // RGBA8, not premultiplied
};

//   maps  class_count * rows * columns, class-major
// Errors: kInvalidArgument (lengths, sizes, values that are not finite), kImageTooLarge.
[[nodiscard]] Expected<HeatMap> make_heat_map(std::span<const float> maps, int class_count, int rows, int columns,
                                              int class_index, int overlay_width, int overlay_height);

}  // namespace dermlet
