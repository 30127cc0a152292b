#include "view/tensor.h"

#include <cmath>

namespace dermlet {

Expected<Buffer<float>> to_tensor(const Image& view, const TensorSpec& spec) {
  if (view.channels != 3 || view.width != spec.width || view.height != spec.height)
    return fail(ErrorCode::kInvalidArgument, "the view does not have the tensor's size");
  std::array<std::array<float, 256>, 3> table = {};
  for (std::size_t c = 0; c < 3; ++c) {
    if (!std::isfinite(spec.mean[c]) || !std::isfinite(spec.std[c]) || spec.std[c] == 0)
      return fail(ErrorCode::kInvalidArgument, "mean or std makes no sense");
    for (std::size_t v = 0; v < 256; ++v) table[c][v] = (static_cast<float>(v) - spec.mean[c]) / spec.std[c];
  }
  const std::size_t count = static_cast<std::size_t>(view.width) * static_cast<std::size_t>(view.height);
  DERMLET_TRY(tensor, Buffer<float>::allocate(count, 3));
  const bool planar = spec.layout == Layout::kNchw;
  const std::size_t step = planar ? 1 : 3;
  for (std::size_t c = 0; c < 3; ++c) {
    const std::uint8_t* from = view.pixels.data() + (spec.channels == ChannelOrder::kRgb ? c : 2 - c);
    float* to = tensor.data() + (planar ? c * count : c);
    const float* levels = table[c].data();
    for (std::size_t i = 0; i < count; ++i, from += 3, to += step) *to = levels[*from];
  }
  return tensor;
}

}  // namespace dermlet
