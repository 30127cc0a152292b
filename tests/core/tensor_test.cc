#include "view/tensor.h"

#include <gtest/gtest.h>

#include <limits>

#include "support.h"

namespace dermlet {
namespace {

using testing::image_of;

std::vector<float> values_of(const Buffer<float>& tensor) { return {tensor.data(), tensor.data() + tensor.size()}; }

const Image& two_pixels() {
  static const Image image = image_of(2, 1, 3, {0, 10, 20, 255, 110, 120});
  return image;
}

TEST(Tensor, PlanesOrPixels) {
  TensorSpec spec{2, 1, Layout::kNchw, ChannelOrder::kRgb, {0, 10, 20}, {1, 100, 50}};
  EXPECT_EQ(values_of(*to_tensor(two_pixels(), spec)), (std::vector<float>{0, 255, 0, 1, 0, 2}));
  spec.layout = Layout::kNhwc;
  EXPECT_EQ(values_of(*to_tensor(two_pixels(), spec)), (std::vector<float>{0, 0, 0, 255, 1, 2}));
}

TEST(Tensor, BgrTakesMeansInItsOwnOrder) {
  // VGG16's caffe mode: blue first, means of blue, green, red.
  const TensorSpec spec{2, 1, Layout::kNhwc, ChannelOrder::kBgr, {103.939f, 116.779f, 123.68f}, {1, 1, 1}};
  EXPECT_EQ(
      values_of(*to_tensor(two_pixels(), spec)),
      (std::vector<float>{20 - 103.939f, 10 - 116.779f, 0 - 123.68f, 120 - 103.939f, 110 - 116.779f, 255 - 123.68f}));
}

TEST(Tensor, NonsenseIsRefused) {
  EXPECT_EQ(to_tensor(two_pixels(), {3, 1, Layout::kNchw, ChannelOrder::kRgb, {}, {1, 1, 1}}).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(to_tensor(two_pixels(), {2, 1, Layout::kNchw, ChannelOrder::kRgb, {}, {1, 0, 1}}).error().code,
            ErrorCode::kInvalidArgument);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(to_tensor(two_pixels(), {2, 1, Layout::kNchw, ChannelOrder::kRgb, {nan, 0, 0}, {1, 1, 1}}).error().code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace dermlet
