#include "quality.h"

#include <gtest/gtest.h>

#include "support.h"

namespace dermlet {
namespace {

using testing::image_of;

TEST(Quality, OneColourIsFlat) {
  const Quality quality = assess(image_of(4, 4, 3, std::vector<std::uint8_t>(48, 90)), {0, 0, 400, 400}, {64, 2});
  EXPECT_FALSE(quality.usable);
  EXPECT_EQ(quality.checks[1].id, "flat");
  EXPECT_FALSE(quality.checks[1].passed);
  EXPECT_FLOAT_EQ(quality.checks[1].value, 0);
  EXPECT_TRUE(quality.checks[0].passed);
}

TEST(Quality, ContrastIsTheDeviationOfLuma) {
  // Half black, half white: deviation 127.5.
  const Quality quality = assess(image_of(2, 1, 3, {0, 0, 0, 255, 255, 255}), {0, 0, 100, 100}, {64, 2});
  EXPECT_FLOAT_EQ(quality.checks[1].value, 127.5f);
  EXPECT_TRUE(quality.usable);
}

TEST(Quality, TheRegionsShorterSideCounts) {
  const Image view = image_of(2, 1, 3, {0, 0, 0, 255, 255, 255});
  EXPECT_TRUE(assess(view, {0, 0, 64, 200}, {64, 2}).usable);
  const Quality small = assess(view, {0, 0, 200, 63}, {64, 2});
  EXPECT_FALSE(small.usable);
  EXPECT_FLOAT_EQ(small.checks[0].value, 63);
  EXPECT_FLOAT_EQ(small.checks[0].limit, 64);
}

}  // namespace
}  // namespace dermlet
