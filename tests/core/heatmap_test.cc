#include "decision/heatmap.h"

#include <gtest/gtest.h>

#include <limits>

namespace dermlet {
namespace {

TEST(HeatMap, DrawsEvidenceForTheClassAgainstTheOthers) {
  // Two classes, 1 x 3 grid. Less the mean of both: class 0 gets -1, 1, 2.
  const std::vector<float> maps = {0, 4, 5, 2, 2, 1};
  const auto map = make_heat_map(maps, 2, 1, 3, 0, 3, 1);
  ASSERT_TRUE(map);
  EXPECT_EQ(map->values, (std::vector<float>{0, 0.5f, 1}));
  const auto other = make_heat_map(maps, 2, 1, 3, 1, 3, 1);
  EXPECT_EQ(other->values, (std::vector<float>{1, 0, 0}));
}

TEST(HeatMap, NothingToShowIsTransparent) {
  const std::vector<float> maps(2 * 4, 1.0f);
  const auto map = make_heat_map(maps, 2, 2, 2, 0, 8, 8);
  ASSERT_TRUE(map);
  for (std::size_t i = 3; i < map->overlay.pixels.size(); i += 4) EXPECT_EQ(map->overlay.pixels.data()[i], 0);
}

TEST(HeatMap, TheOverlayIsStrongestWhereTheMapIs) {
  std::vector<float> maps(2 * 9, 0.0f);
  maps[2] = 3;  // class 0, top right
  const auto map = make_heat_map(maps, 2, 3, 3, 0, 30, 30);
  ASSERT_TRUE(map);
  const auto alpha = [&](int x, int y) { return map->overlay.row(y)[x * 4 + 3]; };
  EXPECT_GT(alpha(25, 4), 190);
  EXPECT_EQ(alpha(4, 25), 0);
  EXPECT_GT(alpha(25, 4), alpha(18, 4));
}

TEST(HeatMap, NonsenseIsRefused) {
  std::vector<float> maps(2 * 4, 1.0f);
  const auto code = [&](int classes, int rows, int columns, int index, int width, int height) {
    const auto map = make_heat_map(maps, classes, rows, columns, index, width, height);
    return map ? ErrorCode::kCorruptImage : map.error().code;
  };
  EXPECT_EQ(code(2, 2, 3, 0, 8, 8), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(2, 2, 2, 2, 8, 8), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(2, 2, 2, -2, 8, 8), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(2, 2, 2, 0, 0, 8), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(2, 2, 2, 0, 8, 1 << 20), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(0, 2, 2, 0, 8, 8), ErrorCode::kInvalidArgument);
  maps[3] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(code(2, 2, 2, 0, 8, 8), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace dermlet
