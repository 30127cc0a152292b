#include "geometry/resample.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support.h"

namespace dermlet {
namespace {

using testing::image_of;
using testing::values_of;

TEST(Resample, CoverTakesTheCentre) {
  EXPECT_EQ(fitted_region({0, 0, 1000, 750}, 224, 224, Fit::kCover), (Rect{125, 0, 750, 750}));
  EXPECT_EQ(fitted_region({0, 0, 750, 1000}, 224, 224, Fit::kCover), (Rect{0, 125, 750, 750}));
  EXPECT_EQ(fitted_region({0, 0, 8, 5}, 10, 10, Fit::kCover), (Rect{1, 0, 5, 5}));
  EXPECT_EQ(fitted_region({10, 20, 300, 300}, 200, 100, Fit::kCover), (Rect{10, 95, 300, 150}));
  EXPECT_EQ(fitted_region({3, 4, 5, 6}, 10, 10, Fit::kStretch), (Rect{3, 4, 5, 6}));
  EXPECT_EQ(fitted_region({0, 0, 1, 65535}, 224, 1, Fit::kCover), (Rect{0, 32767, 1, 1}));
}

TEST(Resample, AShareOfThePartIsItsMiddle) {
  EXPECT_EQ(fitted_region({0, 0, 1000, 750}, 224, 224, Fit::kCover, 0.8), (Rect{200, 75, 600, 600}));
  EXPECT_EQ(fitted_region({10, 20, 100, 60}, 192, 192, Fit::kStretch, 0.875), (Rect{16, 23, 88, 53}));
  EXPECT_EQ(fitted_region({0, 0, 3, 3}, 192, 192, Fit::kCover, 0.01), (Rect{1, 1, 1, 1}));
  EXPECT_EQ(fitted_region({3, 4, 50, 50}, 192, 192, Fit::kCover, 1), (Rect{3, 4, 50, 50}));
}

TEST(Resample, CoverAlwaysLiesInside) {
  for (int width = 1; width < 40; ++width) {
    for (int height = 1; height < 40; ++height) {
      for (const auto& [w, h] : {std::pair{7, 7}, std::pair{3, 8}, std::pair{224, 224}}) {
        EXPECT_TRUE(lies_inside(fitted_region({0, 0, width, height}, w, h, Fit::kCover), width, height))
            << width << "x" << height;
        EXPECT_TRUE(lies_inside(fitted_region({0, 0, width, height}, w, h, Fit::kCover, 0.875), width, height))
            << width << "x" << height;
      }
    }
  }
}

TEST(Resample, OneColourStaysThatColour) {
  const Image source = image_of(9, 7, 3, std::vector<std::uint8_t>(9 * 7 * 3, 201));
  for (const Filter filter : {Filter::kBilinear, Filter::kBicubic, Filter::kLanczos}) {
    const auto result = resample(source, {0, 0, 9, 7}, 30, 3, filter);
    ASSERT_TRUE(result);
    EXPECT_EQ(values_of(*result), std::vector<std::uint8_t>(30 * 3 * 3, 201));
  }
}

TEST(Resample, TheSameSizeIsACopy) {
  const Image source = testing::noise(12, 9, 3);
  EXPECT_EQ(values_of(*resample(source, {0, 0, 12, 9}, 12, 9, Filter::kLanczos)), values_of(source));
}

TEST(Resample, NothingOutsideTheRegionIsRead) {
  Image bright = image_of(20, 20, 3, std::vector<std::uint8_t>(20 * 20 * 3, 255));
  for (int y = 5; y < 15; ++y) std::fill_n(bright.row(y) + 5 * 3, 10 * 3, std::uint8_t{0});
  EXPECT_EQ(values_of(*resample(bright, {5, 5, 10, 10}, 4, 4, Filter::kLanczos)),
            std::vector<std::uint8_t>(4 * 4 * 3, 0));
}

TEST(Resample, WrongRegionsAndSizesAreRefused) {
  const Image source = testing::noise(10, 10, 1);
  for (const Box& region : {Box{-1, 0, 5, 5}, Box{0, 0, 11, 5}, Box{6, 0, 5, 5}, Box{0, 0, 0, 5}, Box{1e300, 0, 5, 5},
                            Box{0, 0, -5, 5}, Box{std::nan(""), 0, 5, 5}}) {
    EXPECT_EQ(resample(source, region, 4, 4, Filter::kBilinear).error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(resample(source, {0, 0, 10, 10}, 0, 4, Filter::kBilinear).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(resample(source, {0, 0, 10, 10}, 4, 1'000'000, Filter::kBilinear).error().code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace dermlet
