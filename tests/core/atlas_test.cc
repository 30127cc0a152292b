#include "learn/atlas.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace dermlet {
namespace {

struct Kept {
  std::vector<std::int8_t> vectors;
  std::vector<float> scales;

  void add(const std::vector<float>& embedding) {
    const auto vector = quantise(embedding);
    ASSERT_TRUE(vector);
    vectors.insert(vectors.end(), vector->values.begin(), vector->values.end());
    scales.push_back(vector->scale);
  }
  [[nodiscard]] Atlas atlas() const { return {vectors, scales}; }
};

// Pooled features: positive, around a few centres.
std::vector<float> drawn(std::size_t count, std::size_t width) {
  std::mt19937 random(3);
  std::normal_distribution<float> noise;
  std::vector<float> centres(20 * width), all;
  for (float& v : centres) v = std::abs(noise(random));
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t d = 0; d < width; ++d) all.push_back(std::abs(centres[i % 20 * width + d] + 0.5f * noise(random)));
  }
  return all;
}

TEST(Atlas, KeepsDirectionsToAPartIn127) {
  const auto vector = quantise(std::vector<float>{3, -4, 0, 1});
  ASSERT_TRUE(vector);
  EXPECT_EQ(vector->values, (std::vector<std::int8_t>{95, -127, 0, 32}));
  EXPECT_FLOAT_EQ(vector->scale, static_cast<float>(4 / 127.0 / std::sqrt(26.0)));
}

TEST(Atlas, FindsTheNearestByTheirAngle) {
  Kept kept;
  for (const auto& each : {std::vector<float>{1, 0, 0}, {10, 10, 0}, {0, 0, 1}, {-1, 0, 0}, {2, 0, 0}}) kept.add(each);
  const auto found = nearest(kept.atlas(), std::vector<float>{5, 0, 0}, 4);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 4u);
  const std::vector<std::pair<std::uint32_t, double>> expected = {{0, 1}, {4, 1}, {1, std::sqrt(0.5)}, {2, 0}};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ((*found)[i].index, expected[i].first) << i;
    EXPECT_NEAR((*found)[i].similarity, expected[i].second, 1e-3) << i;
  }
  EXPECT_EQ(nearest(kept.atlas(), std::vector<float>{5, 0, 0}, 100)->size(), 5u);
}

TEST(Atlas, FindsNearlyAllThatAnExactSearchFinds) {
  const auto found = recall(drawn(2000, 320), 320, 10, 100);
  ASSERT_TRUE(found);
  EXPECT_GT(*found, 0.95);
  EXPECT_LE(*found, 1);
}

TEST(Atlas, TheWidestVectorsDoNotOverflow) {
  Kept kept;
  const std::vector<float> full(kMaxAtlasWidth, 1e30f), other(kMaxAtlasWidth, -1e-30f);
  kept.add(full);
  kept.add(other);
  const auto found = nearest(kept.atlas(), full, 2);
  ASSERT_TRUE(found);
  EXPECT_NEAR((*found)[0].similarity, 1, 1e-5);
  EXPECT_NEAR((*found)[1].similarity, -1, 1e-5);
}

TEST(Atlas, NothingIsLikeNothing) {
  Kept kept;
  kept.add({0, 0});
  kept.add({1, 1});
  EXPECT_EQ((*nearest(kept.atlas(), std::vector<float>{1, 1}, 2))[1].similarity, 0);
  const auto all = nearest(kept.atlas(), std::vector<float>{0, 0}, 2);
  ASSERT_TRUE(all);
  for (const Neighbour& each : *all) EXPECT_EQ(each.similarity, 0);
}

TEST(Atlas, WhatCannotBeLookedUpIsRefused) {
  Kept kept;
  kept.add({1, 2, 3});
  const std::vector<float> good = {1, 2, 3};
  EXPECT_TRUE(nearest(kept.atlas(), good, 1));
  EXPECT_FALSE(nearest(kept.atlas(), good, 0));
  EXPECT_FALSE(nearest(kept.atlas(), good, 101));
  EXPECT_FALSE(nearest(kept.atlas(), {}, 1));
  EXPECT_FALSE(nearest(kept.atlas(), std::vector<float>{1, 2}, 1));
  EXPECT_FALSE(nearest(kept.atlas(), std::vector<float>{1, 2, NAN}, 1));
  EXPECT_FALSE(nearest({kept.vectors, {}}, good, 1));
  EXPECT_TRUE(nearest({}, good, 1)->empty());
  EXPECT_FALSE(quantise(std::vector<float>(kMaxAtlasWidth + 1, 1)));
  EXPECT_FALSE(quantise(std::vector<float>{std::numeric_limits<float>::infinity()}));
  EXPECT_FALSE(recall(good, 3, 1, 1));  // one has no neighbour
  EXPECT_FALSE(recall(good, 0, 1, 1));
  EXPECT_FALSE(recall(good, 1, 1, 0));
}

}  // namespace
}  // namespace dermlet
