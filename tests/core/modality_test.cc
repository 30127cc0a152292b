#include "decision/modality.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace dermlet {
namespace {

TEST(Modality, IsTheSoftmaxOfALinearProbe) {
  const std::array<float, 3> embedding = {1, 2, -1};
  const std::array<float, 6> weights = {0.5f, 0, 0, 0, 1, 1};  // 0.5 and 1
  const std::array<float, 2> bias = {0, 0.25f};
  const auto found = recognise_modality(embedding, weights, bias);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->index, 1u);
  EXPECT_NEAR(found->probability, 1 / (1 + std::exp(0.5 - 1.25)), 1e-6);
}

TEST(Modality, OfEqualOnesTheFirst) {
  const auto found = recognise_modality(std::array{1.f}, std::array{2.f, 2.f, 2.f}, std::array{0.f, 0.f, 0.f});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->index, 0u);
  EXPECT_NEAR(found->probability, 1.0 / 3, 1e-6);
}

TEST(Modality, HugeScoresDoNotOverflow) {
  const auto found = recognise_modality(std::array{1e20f}, std::array{1e18f, -1e18f}, std::array{0.f, 0.f});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->index, 0u);
  EXPECT_FLOAT_EQ(found->probability, 1);
}

TEST(Modality, WhatDoesNotFitIsRefused) {
  const std::vector<float> two = {1, 2};
  EXPECT_FALSE(recognise_modality(two, two, std::array{0.f}));            // one modality
  EXPECT_FALSE(recognise_modality(two, std::array{1.f, 2.f, 3.f}, two));  // no row for each
  EXPECT_FALSE(recognise_modality({}, {}, two));
  EXPECT_FALSE(recognise_modality(std::array{std::numeric_limits<float>::quiet_NaN()}, two, two));
}

}  // namespace
}  // namespace dermlet
