// Pixels of the view -> the network's input tensor: value' = (value - mean) / std, value 0..255, in the layout and
// channel order the manifest states.
#pragma once

#include <array>

#include "contract.h"
#include "expected.h"
#include "image.h"

namespace dermlet {

inline constexpr int kMaxTensorSide = 4096;

struct TensorSpec {
  int width = 0;
  int height = 0;
  Layout layout = Layout::kNchw;
  ChannelOrder channels = ChannelOrder::kRgb;
  std::array<float, 3> mean{};        // in the order of `channels`, levels of 255
  std::array<float, 3> std{1, 1, 1};  // likewise; never 0
};

// `view` is RGB8 of spec.width x spec.height. Errors: kInvalidArgument (sizes, mean or std not finite, std 0),
// kImageTooLarge.
[[nodiscard]] Expected<Buffer<float>> to_tensor(const Image& view, const TensorSpec& spec);

}  // namespace dermlet
