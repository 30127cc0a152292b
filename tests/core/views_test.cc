#include "view/views.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "decision/heatmap.h"
#include "geometry/orientation.h"
#include "support.h"

namespace dermlet {
namespace {

using testing::image_of;
using testing::noise;

// The eight views as EXIF names the same turns: an independent definition, itself held against Pillow.
constexpr std::array kOrientations = {1, 2, 4, 3, 5, 8, 6, 7};

Image copy_of(const Image& image) {
  return image_of(image.width, image.height, image.channels, testing::values_of(image));
}

std::vector<float> floats_of(const Buffer<float>& buffer) { return {buffer.span().begin(), buffer.span().end()}; }

// The tensors of the first `views` views, each turned and made by itself.
std::vector<float> one_by_one(const Image& image, const TensorSpec& spec, std::size_t views) {
  std::vector<float> all;
  for (std::size_t v = 0; v < views; ++v) {
    const auto turned = turn_upright(copy_of(image), kOrientations[v]);
    const auto tensor = floats_of(to_tensor(*turned, spec).value());
    all.insert(all.end(), tensor.begin(), tensor.end());
  }
  return all;
}

class ViewsOfLayouts : public ::testing::TestWithParam<Layout> {};

TEST_P(ViewsOfLayouts, AreTheEightTurnsAndReflectionsUprightFirst) {
  const Image square = noise(17, 17, 3);
  const TensorSpec spec = {17, 17, GetParam(), ChannelOrder::kBgr, {1, 2, 3}, {4, 5, 6}};
  const auto all = to_tensor(square, spec, 8);
  ASSERT_TRUE(all);
  EXPECT_EQ(floats_of(*all), one_by_one(square, spec, 8));
}

TEST_P(ViewsOfLayouts, FourKeepTheShape) {
  const Image wide = noise(20, 6, 4);
  const TensorSpec spec = {20, 6, GetParam(), ChannelOrder::kRgb, {127, 127, 127}, {128, 128, 128}};
  const auto four = to_tensor(wide, spec, 4);
  ASSERT_TRUE(four);
  EXPECT_EQ(floats_of(*four), one_by_one(wide, spec, 4));
  EXPECT_EQ(to_tensor(wide, spec, 8).error().code, ErrorCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(Views, ViewsOfLayouts, ::testing::Values(Layout::kNchw, Layout::kNhwc));

TEST(Views, OfASymmetricPictureAreAllTheSame) {
  const Image square = image_of(3, 3, 1, {1, 2, 1, 2, 9, 2, 1, 2, 1});
  std::vector<std::uint8_t> rgb;
  for (const std::uint8_t v : testing::values_of(square)) rgb.insert(rgb.end(), {v, v, v});
  const TensorSpec spec = {3, 3, Layout::kNchw, ChannelOrder::kRgb, {0, 0, 0}, {1, 1, 1}};
  const auto all = floats_of(to_tensor(image_of(3, 3, 3, rgb), spec, 8).value());
  const std::vector<float> first(all.begin(), all.begin() + 27);
  for (int v = 1; v < 8; ++v)
    EXPECT_EQ((std::vector<float>(all.begin() + 27 * v, all.begin() + 27 * (v + 1))), first) << v;
}

TEST(Views, OtherNumbersAreRefused) {
  const TensorSpec spec = {8, 8, Layout::kNchw, ChannelOrder::kRgb, {0, 0, 0}, {1, 1, 1}};
  for (const int views : {-8, 0, 2, 3, 7, 9, 16})
    EXPECT_EQ(to_tensor(noise(8, 8, 1), spec, views).error().code, ErrorCode::kInvalidArgument) << views;
}

// A grid of values as its own "picture", turned as the network's maps of turned pictures are.
std::vector<float> turned_grid(const std::vector<std::uint8_t>& grid, int width, int height, int orientation) {
  const auto values = testing::values_of(turn_upright(image_of(width, height, 1, grid), orientation).value());
  return {values.begin(), values.end()};
}

TEST(Views, MapsAreTurnedBackBeforeTheyAreAveraged) {
  // Class 0's map is turned with the picture, as a network without errors would answer; class 1's is 0. The mean must
  // be the upright map itself.
  const std::vector<std::uint8_t> grid = {0, 10, 20, 30, 40, 50, 60, 70, 80};
  std::vector<float> logits;
  std::vector<float> maps;
  for (const int orientation : kOrientations) {
    const auto turned = turned_grid(grid, 3, 3, orientation);
    maps.insert(maps.end(), turned.begin(), turned.end());
    maps.insert(maps.end(), 9, 0.0f);
    logits.insert(logits.end(), {40, 0});
  }
  const auto mean = average_views({logits, maps, 3, 3, {}, 8}, true);
  ASSERT_TRUE(mean);
  EXPECT_EQ((std::vector<float>(mean->maps.begin(), mean->maps.begin() + 9)),
            (std::vector<float>(grid.begin(), grid.end())));
}

TEST(Views, TheMeanMapsMeanIsTheMeanLogit) {
  // 8 views, 3 classes, 5 x 5: a mean that the heat map must stay exact for, whatever the maps.
  std::vector<float> maps(8 * 3 * 25);
  std::uint32_t seed = 7;
  for (float& v : maps) v = static_cast<float>((seed = seed * 1664525u + 1013904223u) >> 8) / 1e6f - 8;
  std::vector<float> logits(8 * 3);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    for (std::size_t c = 0; c < 25; ++c) logits[i] += maps[i * 25 + c] / 25;
  }
  const auto mean = average_views({logits, maps, 5, 5, {}, 8}, true);
  ASSERT_TRUE(mean);
  for (std::size_t k = 0; k < 3; ++k) {
    float of_map = 0;
    for (std::size_t c = 0; c < 25; ++c) of_map += mean->maps[k * 25 + c] / 25;
    EXPECT_NEAR(of_map, mean->logits[k], 1e-5);
  }
}

TEST(Views, MapsOfFourViewsNeedNotBeSquare) {
  const std::vector<std::uint8_t> grid = {1, 2, 3, 4, 5, 6};
  std::vector<float> maps;
  for (std::size_t v = 0; v < 4; ++v) {
    const auto turned = turned_grid(grid, 3, 2, kOrientations[v]);
    maps.insert(maps.end(), turned.begin(), turned.end());
  }
  const std::vector<float> logits(4, 3.5f);
  EXPECT_EQ(average_views({logits, maps, 2, 3, {}, 4}, true)->maps, (std::vector<float>(grid.begin(), grid.end())));
}

TEST(Views, LogitsAndEmbeddingAreMeans) {
  const std::vector<float> logits = {1, 2, 3, 4, 5, 6, 7, 12};
  const std::vector<float> embedding = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const auto mean = average_views({logits, {}, 0, 0, embedding, 4}, true);
  ASSERT_TRUE(mean);
  EXPECT_EQ(mean->logits, (std::vector<float>{4, 6}));                 // (1 + 3 + 5 + 7) / 4, (2 + 4 + 6 + 12) / 4
  EXPECT_EQ(mean->embedding, (std::vector<float>{4.5f, 5.5f, 6.5f}));  // (0 + 3 + 6 + 9) / 4, ...
  EXPECT_TRUE(mean->maps.empty());
}

TEST(Views, OneViewIsItself) {
  const std::vector<float> logits = {0.1f, 3e38f};
  const std::vector<float> maps = {0.2f, 0.3f, 0.4f, -1};
  const auto mean = average_views({logits, maps, 1, 2, {}, 1}, true);
  EXPECT_EQ(mean->logits, logits);
  EXPECT_EQ(mean->maps, maps);
  EXPECT_TRUE(average_views({logits, maps, 1, 2, {}, 1}, false)->maps.empty());
}

TEST(Views, LengthsThatDoNotFitAreRefusedAndWhatIsNotFiniteStaysSo) {
  const std::vector<float> values(16, 1.0f);
  const auto code = [&](std::size_t logits, std::size_t maps, int height, int width, std::size_t embedding, int views) {
    const std::span<const float> all(values);
    const auto mean =
        average_views({all.first(logits), all.first(maps), height, width, all.first(embedding), views}, true);
    return mean ? ErrorCode::kCorruptImage : mean.error().code;
  };
  EXPECT_EQ(code(8, 8, 1, 1, 8, 8), ErrorCode::kCorruptImage);  // fits
  EXPECT_EQ(code(9, 0, 0, 0, 8, 8), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(8, 0, 0, 0, 9, 8), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(8, 8, 1, 2, 8, 8), ErrorCode::kInvalidArgument);  // not square
  EXPECT_EQ(code(8, 16, 1, 1, 8, 8), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(8, 9, 2, 2, 8, 4), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(8, 8, 0, 0, 8, 8), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(8, 8, -1, -1, 8, 8), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(8, 8, 1 << 16, 1 << 16, 8, 8), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(8, 0, 0, 0, 8, 0), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(8, 0, 0, 0, 8, 2), ErrorCode::kInvalidArgument);
  const std::vector<float> infinite = {1, std::numeric_limits<float>::infinity(), 1,
                                       -std::numeric_limits<float>::infinity()};
  EXPECT_FALSE(std::isfinite(average_views({infinite, {}, 0, 0, {}, 4}, false)->logits[0]));
}

}  // namespace
}  // namespace dermlet
