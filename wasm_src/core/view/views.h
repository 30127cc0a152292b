// The dihedral views of a picture, and what the network says of all of them taken together.
//
// A lesion has no up and no left: the eight turns and reflections of its picture (the dihedral group D4) are the same
// lesion, yet a network answers each a little differently. The mean over them is a better answer than any one of them
// (test-time augmentation, as in Krizhevsky et al. 2012). Only whole pixels change places, so that no view is blurred.
//
// View v of a picture: bit 0 mirrors left-right, bit 1 top-bottom, bit 2 transposes. The pixel at (x, y) of view v is
// the upright picture's pixel at (a, b), where (a, b) = (x, y), or (y, x) with bit 2; then a = width - 1 - a with bit 0
// and b = height - 1 - b with bit 1. View 0 is upright. Views 0 to 3 keep the shape; views 4 to 7 change width and
// height and so fit one tensor with the others only for a square.
#pragma once

#include <span>
#include <vector>

#include "expected.h"
#include "image.h"
#include "view/tensor.h"

namespace dermlet {

// 1, 4 (the shape kept) or 8 (width == height) views.
[[nodiscard]] constexpr bool views_fit(int views, int width, int height) {
  return views == 1 || views == 4 || (views == 8 && width == height);
}

// Index, in rows of the upright picture of width x height, of what view `view` shows at (x, y).
[[nodiscard]] constexpr std::size_t upright_place(int view, int x, int y, int width, int height) {
  int a = view & 4 ? y : x;
  int b = view & 4 ? x : y;
  if (view & 1) a = width - 1 - a;
  if (view & 2) b = height - 1 - b;
  return static_cast<std::size_t>(b) * static_cast<std::size_t>(width) + static_cast<std::size_t>(a);
}

// to_tensor() of views 0 to `views` - 1, one after the other. Errors: as to_tensor(), and kInvalidArgument for views
// that do not fit the shape.
[[nodiscard]] Expected<Buffer<float>> to_tensor(const Image& upright, const TensorSpec& spec, int views);

// What the network answered for one picture: for each of its views, one after the other.
struct ModelOutputs {
  std::span<const float> logits;  // views * K; probabilities when DecisionSpec::scores says so
  std::span<const float> maps;    // views * K * map_height * map_width, class-major; may be empty
  int map_height = 0;
  int map_width = 0;
  std::span<const float> embedding;  // views * D; may be empty
  int views = 1;
};

// The means over the views. Since each class's map is turned back upright before it is added, and the mean of a map is
// its logit, the mean of the mean map is the mean logit: the heat map stays exact. The views of a network that gives
// probabilities are averaged as probabilities.
struct MeanOutputs {
  std::vector<float> logits;  // K
  std::vector<float> maps;    // K * map_height * map_width, class-major, upright; empty if not requested or not there
  std::vector<float> embedding;  // D
};

// Sums are in double and in the order of the views. Errors: kInvalidArgument (lengths that are not multiples of the
// views, or do not fit one another or the map's shape). Values that are not finite pass through and stay so.
[[nodiscard]] Expected<MeanOutputs> average_views(const ModelOutputs& outputs, bool with_maps);

}  // namespace dermlet
