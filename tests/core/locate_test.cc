#include "view/locate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace dermlet {
namespace {

constexpr int kRows = 24;
constexpr int kColumns = 24;
constexpr float kNothing = -8;

// A locator's output in which nothing is seen, to be painted on.
class Output {
 public:
  Output() : values(3 * kRows * kColumns, kNothing) {}

  // A spot in one cell: its logit and its shares of the picture's sides.
  Output& spot(int row, int column, float logit, double width, double height) {
    at(0, row, column) = logit;
    at(1, row, column) = static_cast<float>(std::log2(width));
    at(2, row, column) = static_cast<float>(std::log2(height));
    return *this;
  }
  float& at(int channel, int row, int column) {
    return values[static_cast<std::size_t>((channel * kRows + row) * kColumns + column)];
  }
  [[nodiscard]] Expected<Located> in(int width, int height, const LocateSpec& spec = {}) const {
    return locate(values, kRows, kColumns, width, height, spec);
  }
  std::vector<float> values;
};

TEST(Locate, NothingThatStandsOutIsSaid) {
  const auto located = Output().in(400, 300);
  ASSERT_TRUE(located);
  EXPECT_EQ(located->framing, Framing::kNone);
  EXPECT_TRUE(located->spots.empty());
  EXPECT_EQ(located->frame, (Rect{0, 0, 400, 300}));
  EXPECT_FALSE(answerable(located->framing));
}

TEST(Locate, ASmallSpotGetsASquareFrameAroundItsMiddle) {
  // Cell (12, 6) of 24: the middle at 6.5 / 24 of the width and 12.5 / 24 of the height.
  const auto located = Output().spot(12, 6, 3, 0.1, 0.1).in(2400, 2400);
  ASSERT_TRUE(located);
  EXPECT_EQ(located->framing, Framing::kSpot);
  ASSERT_EQ(located->spots.size(), 1u);
  EXPECT_NEAR(located->spots[0].x, 650 - 120, 1);
  EXPECT_NEAR(located->spots[0].y, 1250 - 120, 1);
  EXPECT_NEAR(located->spots[0].width, 240, 0.1);
  EXPECT_NEAR(located->spots[0].score, 1 / (1 + std::exp(-3.0)), 1e-6);
  EXPECT_EQ(located->frame.width, 384);  // 1.6 times the spot
  EXPECT_EQ(located->frame.height, 384);
  EXPECT_NEAR(located->frame.x + 192, 650, 1);
  EXPECT_NEAR(located->frame.y + 192, 1250, 1);
}

TEST(Locate, SquashedPicturesGiveBoxesInTheirOwnShape) {
  // A round spot 200 pixels across in a picture of 1600 x 400.
  const auto located =
      Output().spot(12, 12, 3, 200.0 / 1600, 200.0 / 400).in(1600, 400, {0.5f, 0.5f, 0.8f, 0.5f, 1.5, 0.6, 0.6});
  ASSERT_TRUE(located);
  EXPECT_EQ(located->framing, Framing::kSpot);
  EXPECT_NEAR(located->spots[0].width, 200, 0.1);
  EXPECT_NEAR(located->spots[0].height, 200, 0.1);
  EXPECT_EQ(located->frame.width, 300);
}

TEST(Locate, FramesAtTheRimAreMovedInside) {
  const auto located = Output().spot(0, 23, 3, 0.2, 0.2).in(1000, 800);
  ASSERT_TRUE(located);
  EXPECT_EQ(located->frame, (Rect{1000 - located->frame.width, 0, located->frame.width, located->frame.width}));
  EXPECT_GE(located->spots[0].y, 0);
  EXPECT_LE(located->spots[0].x + located->spots[0].width, 1000);
}

TEST(Locate, ALargeSpotInTheMiddleLeavesThePictureAsItIs) {
  const auto located = Output().spot(12, 12, 3, 0.6, 0.6).in(800, 600);
  ASSERT_TRUE(located);
  EXPECT_EQ(located->framing, Framing::kWhole);
  EXPECT_EQ(located->frame, (Rect{0, 0, 800, 600}));
  // One that the centred square does not show gets a frame of its own, as large as the picture allows.
  const auto aside = Output().spot(12, 1, 3, 0.15, 0.6).in(1600, 400);
  ASSERT_TRUE(aside);
  EXPECT_EQ(aside->framing, Framing::kSpot);
  EXPECT_EQ(aside->frame, (Rect{0, 16, 384, 384}));  // 1.6 times 240 pixels about (100, 208): the 13th of 24 rows
}

TEST(Locate, ASpotOfMiddlingSizeIsSeenBothWaysAndAnUnsureOneNotClosely) {
  const LocateSpec spec = {0.3f, 0.5f, 0.8f, 0.6f, 1.6, 0.2, 0.4};
  const auto both = Output().spot(12, 12, 3, 0.3, 0.25).in(1000, 1000, spec);
  EXPECT_EQ(both->framing, Framing::kBoth);
  EXPECT_EQ(both->frame.width, 480);
  EXPECT_EQ(Output().spot(12, 12, 3, 0.41, 0.25).in(1000, 1000, spec)->framing, Framing::kWhole);
  EXPECT_EQ(Output().spot(12, 12, 3, 0.19, 0.19).in(1000, 1000, spec)->framing, Framing::kSpot);
  const auto unsure = Output().spot(12, 12, 0, 0.1, 0.1).in(1000, 1000, spec);  // a score of 0.5
  EXPECT_EQ(unsure->framing, Framing::kWhole);
  EXPECT_EQ(unsure->spots.size(), 1u);
}

TEST(Locate, ASecondSpotThatIsAboutAsGoodAsksForAChoice) {
  Output output;
  output.spot(6, 6, 2, 0.1, 0.1).spot(18, 18, 1.8f, 0.1, 0.1);
  const auto located = output.in(1000, 1000);
  ASSERT_TRUE(located);
  EXPECT_EQ(located->framing, Framing::kSeveral);
  ASSERT_EQ(located->spots.size(), 2u);
  EXPECT_GT(located->spots[0].score, located->spots[1].score);
  EXPECT_LT(located->frame.x, 400);  // around the better one
  EXPECT_FALSE(answerable(located->framing));
  const LocateSpec strict = {0.5f, 0.6f, 0.8f, 0.5f, 1.6, 0.2, 0.4};
  output.at(0, 18, 18) = 0.2f;  // a score of 0.55: a spot, but no rival
  EXPECT_EQ(output.in(1000, 1000, strict)->framing, Framing::kSpot);
  EXPECT_EQ(output.in(1000, 1000, strict)->spots.size(), 2u);
  const LocateSpec alike = {0.5f, 0.5f, 0.7f, 0.5f, 1.6, 0.2, 0.4};
  EXPECT_EQ(output.in(1000, 1000, alike)->framing, Framing::kSpot);  // 0.55 is less than 0.7 of 0.88
  output.at(0, 18, 18) = -1;                                         // no spot at all
  EXPECT_EQ(output.in(1000, 1000, strict)->spots.size(), 1u);
}

TEST(Locate, ASpotInTheFrameOfTheBestIsShownWithIt) {
  Output output;
  output.spot(12, 12, 2, 0.18, 0.18).spot(12, 15, 1.9f, 0.05, 0.05);  // 125 pixels apart; the frame reaches 144
  EXPECT_EQ(output.in(1000, 1000)->framing, Framing::kSpot);
  output.spot(12, 15, -8, 0.05, 0.05).spot(12, 17, 1.9f, 0.05, 0.05);  // 208 pixels apart
  EXPECT_EQ(output.in(1000, 1000)->framing, Framing::kSeveral);
}

TEST(Locate, OneSpotSeenTwiceIsOne) {
  Output output;
  output.spot(10, 10, 2, 0.4, 0.4).spot(13, 10, 1.9f, 0.4, 0.4);
  EXPECT_EQ(output.in(1000, 1000)->spots.size(), 1u);
  Output plateau;
  for (int row = 10; row < 13; ++row) plateau.spot(row, 10, 2, 0.2, 0.2);
  EXPECT_EQ(plateau.in(1000, 1000)->spots.size(), 1u);
}

TEST(Locate, TheMiddleIsWeighedOverTheNeighbours) {
  Output output;
  output.spot(12, 12, 2, 0.1, 0.1).spot(12, 13, 1.99f, 0.1, 0.1);
  const auto located = output.in(2400, 2400);
  ASSERT_TRUE(located);
  EXPECT_NEAR(located->spots[0].x + located->spots[0].width / 2, 1300, 8);  // between the two cells
}

TEST(Locate, FramesLieInsideThePictureWhateverTheLocatorSays) {
  std::uint32_t seed = 7;
  const auto random = [&] { return static_cast<float>((seed = seed * 1664525u + 1013904223u) >> 8) / (1 << 24); };
  for (int round = 0; round < 2000; ++round) {
    Output output;
    for (float& value : output.values) value = 40 * random() - 30;
    const int width = 1 + static_cast<int>(random() * 3000);
    const int height = 1 + static_cast<int>(random() * 3000);
    const auto located =
        output.in(width, height, {random(), random(), random(), random(), 1 + 3 * random(), random(), random()});
    ASSERT_TRUE(located);
    const Rect& frame = located->frame;
    ASSERT_TRUE(frame.x >= 0 && frame.y >= 0 && frame.width >= 1 && frame.height >= 1 &&
                frame.x + frame.width <= width && frame.y + frame.height <= height);
    ASSERT_LE(located->spots.size(), kMaxSpots);
    for (const Spot& spot : located->spots) {
      ASSERT_TRUE(spot.x >= 0 && spot.y >= 0 && spot.x + spot.width <= width + 1e-6 &&
                  spot.y + spot.height <= height + 1e-6);
    }
  }
}

TEST(Locate, WhatMakesNoSenseIsRefused) {
  Output output;
  EXPECT_FALSE(locate(output.values, kRows, kColumns - 1, 100, 100, {}));
  EXPECT_FALSE(locate(output.values, 0, kColumns, 100, 100, {}));
  EXPECT_FALSE(output.in(0, 100));
  EXPECT_FALSE(output.in(100, 100, {1.5f, 0.5f, 0.8f, 0.5f, 1.6, 0.2, 0.4}));
  EXPECT_FALSE(output.in(100, 100, {0.5f, 0.5f, 0.8f, 0.5f, 0.5, 0.2, 0.4}));
  EXPECT_FALSE(output.in(100, 100, {0.5f, 0.5f, std::numeric_limits<float>::quiet_NaN(), 0.5f, 1.6, 0.2, 0.4}));
  output.at(1, 3, 3) = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(output.in(100, 100));
}

}  // namespace
}  // namespace dermlet
