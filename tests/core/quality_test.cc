#include "view/quality.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>

#include "support.h"

namespace dermlet {
namespace {

using testing::image_of;
using Paint = std::function<double(int x, int y)>;  // luma of a pixel

constexpr QualityLimits kAll = {0.f, 0.f, 0.f, 1.f, 0.f, 0.f, 1000.f, 2.f, 0.f, 1.f};

Image grey(int side, const Paint& paint) {
  Image image = Image::allocate(side, side, 3).value();
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x)
      std::fill_n(image.row(y) + 3 * x, 3, static_cast<std::uint8_t>(std::clamp(std::lround(paint(x, y)), 0l, 255l)));
  }
  return image;
}

// Values of deviation `levels`, near enough Gaussian, the same on every platform: sums of twelve uniform ones, each a
// hash (MurmurHash3's finalizer) of its place.
Paint noise_of(double levels) {
  return [levels](int x, int y) {
    double sum = 0;
    for (int i = 0; i < 12; ++i) {
      auto h = static_cast<std::uint32_t>((y * 4096 + x) * 12 + i + 1);
      h = (h ^ (h >> 16)) * 0x85ebca6bu;
      h = (h ^ (h >> 13)) * 0xc2b2ae35u;
      sum += static_cast<double>(h ^ (h >> 16)) / 4294967296.0;
    }
    return (sum - 6) * levels;
  };
}

// A dark disc on light skin whose edge takes `blur` pixels, its centre at (cx, cy) in shares of the side.
Paint spot(int side, double blur, double cx = 0.5, double cy = 0.5) {
  return [=](int x, int y) {
    const double distance = std::hypot(x + 0.5 - cx * side, y + 0.5 - cy * side) - 0.2 * side;
    return 180 - 100 / (1 + std::exp(distance / blur));
  };
}

Quality assess(const Image& view, const Rect& region, const QualityLimits& limits) {
  return judge_quality(measure_quality(view, region).value(), limits);
}

std::map<std::string, float> measures_of(const Image& view) {
  std::map<std::string, float> values;
  const Rect whole = {0, 0, view.width, view.height};
  const Quality quality = assess(view, whole, kAll);
  for (const QualityCheck& check : quality.checks) values[std::string(check.id)] = check.value;
  return values;
}

float value_of(const char* id, const Paint& paint) { return measures_of(grey(192, paint)).at(id); }

TEST(Quality, OneColourIsFlatAndNothingElseIsSaidOfItsEdges) {
  const auto values = measures_of(grey(192, [](int, int) { return 90; }));
  EXPECT_EQ(values.at("flat"), 0);
  EXPECT_EQ(values.at("low_contrast"), 0);
  EXPECT_EQ(values.at("noisy"), 0);
  EXPECT_EQ(values.at("out_of_frame"), 0);
  EXPECT_EQ(values.at("blurred"), 1);
  EXPECT_EQ(values.at("dark"), 90);
}

TEST(Quality, NoiseAloneIsFlatAndNoisy) {
  const auto values = measures_of(grey(192, [noise = noise_of(30)](int x, int y) { return 128 + noise(x, y); }));
  EXPECT_NEAR(values.at("noisy"), 30, 3);
  EXPECT_NEAR(values.at("low_contrast"), 2 * 3.09 * 30,
              15);  // a normal deviate lies beyond 3.09 deviations once in a thousand on either side
  EXPECT_NEAR(values.at("flat"), 30.0 / 16, 0.5);  // the mean of 256 pixels
}

TEST(Quality, ContrastIsTheSpanOfLuma) {
  const Image view = image_of(2, 1, 3, {0, 0, 0, 255, 255, 255});
  EXPECT_FLOAT_EQ(measures_of(view).at("low_contrast"), 255);
  EXPECT_FLOAT_EQ(measures_of(view).at("bright"), 0.5f);
}

TEST(Quality, ContrastLeavesOutFewerThanAThousandthOnEitherSide) {
  const auto with = [](int black, int white) {
    return value_of("low_contrast", [=](int x, int y) {
      return y == 0 && x < black ? 0 : y == 1 && x < white ? 255 : 100 + y / 10;
    });
  };
  EXPECT_FLOAT_EQ(with(36, 36), 19);  // of 36,864
  EXPECT_FLOAT_EQ(with(37, 36), 119);
  EXPECT_FLOAT_EQ(with(36, 37), 155);
  EXPECT_FLOAT_EQ(with(37, 37), 255);
}

TEST(Quality, HazeTakesContrastInProportion) {
  const auto hazy = [](double left) {
    return value_of("low_contrast", [=, spot = spot(192, 1)](int x, int y) { return 128 + left * (spot(x, y) - 128); });
  };
  EXPECT_NEAR(hazy(0.5), hazy(1) / 2, 1);
  EXPECT_NEAR(hazy(0.2), hazy(1) / 5, 1);
}

TEST(Quality, TheRegionsShorterSideCounts) {
  const Image view = image_of(2, 1, 3, {0, 0, 0, 255, 255, 255});
  const QualityLimits limits = {64.f};
  EXPECT_TRUE(assess(view, {0, 0, 64, 200}, limits).usable);
  const Quality small = assess(view, {0, 0, 200, 63}, limits);
  EXPECT_FALSE(small.usable);
  ASSERT_EQ(small.checks.size(), 1u);  // a check without a limit is not made
  EXPECT_EQ(small.checks[0].id, "too_small");
  EXPECT_FLOAT_EQ(small.checks[0].value, 63);
  EXPECT_FLOAT_EQ(small.checks[0].limit, 64);
}

TEST(Quality, LimitsThemselvesPassOnBothSides) {
  const Image view = grey(192, spot(192, 1));
  for (std::size_t i = 0; i < kQualityKinds.size(); ++i) {
    const float value = assess(view, {0, 0, 192, 192}, kAll).checks[i].value;
    const auto usable = [&](float limit) {
      QualityLimits limits;
      limits[i] = limit;
      return assess(view, {0, 0, 192, 192}, limits).usable;
    };
    EXPECT_TRUE(usable(value)) << kQualityKinds[i].id;
    EXPECT_EQ(usable(std::nextafter(value, 1e6f)), kQualityKinds[i].highest) << kQualityKinds[i].id;
    EXPECT_EQ(usable(std::nextafter(value, -1e6f)), !kQualityKinds[i].highest) << kQualityKinds[i].id;
  }
}

TEST(Quality, SharpnessFallsWithEveryStepOfBlur) {
  float last = 1e6f;
  for (const double blur : {0.5, 1.0, 2.0, 4.0, 8.0, 16.0}) {
    const float sharpness = value_of("blurred", spot(192, blur));
    EXPECT_LT(sharpness, last) << blur;
    last = sharpness;
  }
}

TEST(Quality, SmoothSkinWithOneSharpSpotIsSharpAndGrainDoesNotHideBlur) {
  const float sharp = value_of("blurred", spot(192, 0.5));
  const float grainy = value_of(
      "blurred", [spot = spot(192, 8), noise = noise_of(8)](int x, int y) { return spot(x, y) + noise(x, y); });
  const float blurred = value_of("blurred", spot(192, 8));
  EXPECT_GT(sharp, 2 * blurred);
  EXPECT_NEAR(sharp, 0.2f, 0.06f);  // a straight step has 0.25
  EXPECT_NEAR(grainy, blurred, 0.06f);
}

TEST(Quality, DarknessAndOverexposureFollowTheLight) {
  float dark = 256;
  for (const double light : {1.0, 0.6, 0.3, 0.1}) {
    const float brightness = value_of("dark", [=, spot = spot(192, 1)](int x, int y) { return light * spot(x, y); });
    EXPECT_LT(brightness, dark);
    dark = brightness;
  }
  float bright = 0;
  for (const double light : {1.5, 2.0, 3.5}) {
    const float clipped = value_of("bright", [=, spot = spot(192, 2)](int x, int y) { return light * spot(x, y); });
    EXPECT_GT(clipped, bright);
    bright = clipped;
  }
  EXPECT_FLOAT_EQ(value_of("bright", spot(192, 1)), 0);
}

TEST(Quality, OffsetGrowsAsTheSpotLeavesTheFrame) {
  EXPECT_LT(value_of("out_of_frame", spot(192, 1)), 0.02f);
  float last = 0;
  for (const double centre : {0.6, 0.7, 0.85, 1.0}) {
    const float offset = value_of("out_of_frame", spot(192, 1, centre, centre));
    EXPECT_GT(offset, last) << centre;
    last = offset;
  }
  EXPECT_GT(last, 0.8f);
}

TEST(Quality, WhatIsDarkerOrRedderThanMostStandsOutAndWhatIsPalerDoesNot) {
  const auto offset_with = [](std::array<std::uint8_t, 3> corner) {
    Image view = Image::allocate(192, 192, 3).value();
    for (int y = 0; y < 192; ++y) {
      for (int x = 0; x < 192; ++x) {
        constexpr std::array<std::uint8_t, 3> kSkin = {200, 160, 140};
        const bool centre = std::hypot(x - 95.5, y - 95.5) < 30;
        std::copy_n((x >= 144 && y >= 144 ? corner.data() : kSkin.data()), 3, view.row(y) + 3 * x);
        if (centre) std::copy_n(std::array<std::uint8_t, 3>{150, 110, 90}.data(), 3, view.row(y) + 3 * x);
      }
    }
    return measures_of(view).at("out_of_frame");
  };
  EXPECT_GT(offset_with({110, 70, 60}), 0.5f);     // a second, darker one
  EXPECT_GT(offset_with({220, 120, 120}), 0.5f);   // as light, but red
  EXPECT_LT(offset_with({255, 250, 245}), 0.05f);  // a highlight
  EXPECT_LT(offset_with({200, 160, 140}), 0.05f);  // skin
}

TEST(Quality, ColourIsTheMeanSpanOfChannels) {
  EXPECT_FLOAT_EQ(measures_of(image_of(2, 1, 3, {10, 40, 20, 200, 200, 190})).at("grey"), 20);
  EXPECT_FLOAT_EQ(value_of("grey", spot(192, 1)), 0);
}

TEST(Quality, PicturesBesideOneAnotherHaveASeamAndSpotsHairsAndShadowsHaveNone) {
  const auto beside = [](double step, int place, bool down) {
    return value_of("collage", [=, spot = spot(192, 2), noise = noise_of(2)](int x, int y) {
      return spot(x, y) + noise(x, y) + ((down ? y : x) < place ? step : 0);
    });
  };
  for (const bool down : {false, true}) {
    EXPECT_GT(beside(20, 96, down), 0.95f);
    EXPECT_GT(beside(-20, 40, down), 0.95f);
    EXPECT_LT(beside(0, 96, down), 0.3f);
    EXPECT_LT(beside(20, 5, down), 0.3f);  // a thin border
  }
  // A white gap between two pictures, and a shadow that takes a tenth of the side to fall.
  EXPECT_GT(value_of("collage", [spot = spot(192, 2)](int x, int y) { return x / 6 == 16 ? 255 : spot(x, y); }), 0.95f);
  EXPECT_EQ(value_of("collage", [](int x, int) { return 120 + 60 * std::clamp((x - 86) / 20.0, 0.0, 1.0); }), 0);
  // Hairs: thin straight lines, none of them along one column for long.
  EXPECT_LT(value_of("collage", [](int x, int y) { return std::abs(x - y / 3 - 60) < 2 ? 40 : 180; }), 0.3f);
}

TEST(Quality, ViewsSmallerThanABlockAreMeasuredWithoutOne) {
  for (const int side : {1, 2, 3, 7, 8, 15, 16, 17}) {
    for (const auto& [id, value] : measures_of(grey(side, [](int x, int y) { return 40 * x + 3 * y; })))
      EXPECT_TRUE(std::isfinite(value)) << id << ' ' << side;
  }
}

}  // namespace
}  // namespace dermlet
