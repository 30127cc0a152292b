#include "decision/decision.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>

namespace dermlet {
namespace {

constexpr float kNever = std::numeric_limits<float>::infinity();

DecisionSpec spec_of_three() {
  DecisionSpec spec;
  spec.sets.limits = {0.8f, 0.8f, 0.8f};
  spec.rejection_threshold = kNever;
  spec.concern = {Concern::kLow, Concern::kModerate, Concern::kHigh};
  spec.tiers = {0.3f, 0.15f};
  return spec;
}

// Logits whose softmax is `p`.
std::vector<float> logits_of(std::vector<float> p) {
  for (float& v : p) v = std::log(v);
  return p;
}

TEST(Decision, SoftmaxWithTemperature) {
  DecisionSpec spec = spec_of_three();
  const std::vector<float> logits = {1, 2, 3};
  const auto one = decide(logits, spec, true);
  EXPECT_NEAR(one->probabilities[2], 0.66524096, 1e-7);
  spec.temperature = 2;
  EXPECT_NEAR(decide(logits, spec, true)->probabilities[2], 0.50648039, 1e-7);
}

TEST(Decision, HugeLogitsDoNotOverflow) {
  const std::vector<float> logits = {3e38f, -3e38f, 0};
  const auto decision = decide(logits, spec_of_three(), true);
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->probabilities, (std::vector<float>{1, 0, 0}));
}

TEST(Decision, ATinyTemperatureKeepsTheSum) {
  DecisionSpec spec = spec_of_three();
  spec.temperature = 1e-40f;
  const std::vector<float> logits = {9e14f, 9e14f, 9e14f};
  EXPECT_FLOAT_EQ(decide(logits, spec, true)->probabilities[0], 1.0f / 3);
}

TEST(Decision, ProbabilitiesAreTakenAsTheyAreLessTheirRounding) {
  DecisionSpec spec = spec_of_three();
  spec.scores = Scores::kProbabilities;
  spec.rejection_threshold = -100;  // there is no energy without logits: never refused
  const std::vector<float> scores = {0.25f, 0.25f, 0.5004f};
  const auto decision = decide(scores, spec, true);
  ASSERT_TRUE(decision);
  EXPECT_FLOAT_EQ(decision->probabilities[2], 0.5004f / 1.0004f);
  EXPECT_FLOAT_EQ(decision->rejection, 0);
  EXPECT_EQ(decide(std::vector<float>{-1e-7f, 0, 1.0000001f}, spec, true)->probabilities,
            (std::vector<float>{0, 0, 1}));
}

TEST(Decision, WhatAreNoProbabilitiesIsTheModelsFault) {
  DecisionSpec spec = spec_of_three();
  spec.scores = Scores::kProbabilities;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinite = std::numeric_limits<float>::infinity();
  for (const std::vector<float>& scores : std::vector<std::vector<float>>{{0.2f, 0.2f, 0.4f},  // sums to 0.8
                                                                          {0.9f, 0.8f, 0.7f},  // independent sigmoids
                                                                          {0, 0, 0},
                                                                          {-0.1f, 0.6f, 0.5f},
                                                                          {1.1f, -0.1f, 0},
                                                                          {0.5f, 0.5f, 0.0011f},
                                                                          {0.4f, 0.5f, 0.0985f},
                                                                          {nan, 0.5f, 0.5f},
                                                                          {infinite, 0, 0},
                                                                          {3e38f, 3e38f, -3e38f}}) {
    const auto decision = decide(scores, spec, true);
    ASSERT_FALSE(decision) << scores[0];
    EXPECT_EQ(decision.error().code, ErrorCode::kModelCorrupt);
    EXPECT_EQ(decide(scores, spec, false).error().code, ErrorCode::kModelCorrupt);
  }
  spec.scores = Scores::kLogits;
  EXPECT_TRUE(decide(std::vector<float>{-0.1f, 1.6f, 0.5f}, spec, true));
}

TEST(Decision, TiesRankInIndexOrder) {
  const std::vector<float> logits = {1, 1, 1};
  EXPECT_EQ(decide(logits, spec_of_three(), true)->ranking, (std::vector<int>{0, 1, 2}));
}

TEST(Decision, AClassIsAskedForUpToItsOwnLimitOfWhatIsRankedBeforeIt) {
  DecisionSpec spec = spec_of_three();
  // Scores in ranking order: 0, 0.6, 0.9.
  const auto size = [&](std::vector<float> limits) {
    spec.sets.limits = std::move(limits);
    return decide(logits_of({0.6f, 0.3f, 0.1f}), spec, true)->prediction_set.size();
  };
  EXPECT_EQ(size({0, 0, 0}), 1u);
  EXPECT_EQ(size({0, 0.59f, 0.89f}), 1u);
  EXPECT_EQ(size({0, 0.61f, 0.89f}), 2u);
  EXPECT_EQ(size({0, 0.61f, 0.91f}), 3u);
  EXPECT_EQ(size({1, 0, 0}), 1u);  // the first is in whatever its limit is, and asks for nobody else
}

TEST(Decision, AClassThatIsAskedForBringsAllThatAreRankedBeforeIt) {
  DecisionSpec spec = spec_of_three();
  spec.sets.limits = {0, 0, 0.95f};  // the class of a tenth asks for itself, the one of three tenths does not
  const auto decision = decide(logits_of({0.6f, 0.3f, 0.1f}), spec, true);
  EXPECT_EQ(decision->prediction_set, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(decision->outcome, Outcome::kSeveral);
}

TEST(Decision, AScoreOfExactlyTheLimitIsAskedFor) {
  DecisionSpec spec = spec_of_three();
  spec.scores = Scores::kProbabilities;
  spec.sets.limits = {0, 0.5f, std::nextafter(0.75f, 0.0f)};
  const std::vector<float> exact = {0.5f, 0.25f, 0.25f};  // scores 0, 0.5, 0.75
  EXPECT_EQ(decide(exact, spec, true)->prediction_set, (std::vector<int>{0, 1}));
  spec.sets.limits[2] = 0.75f;
  EXPECT_EQ(decide(exact, spec, true)->prediction_set, (std::vector<int>{0, 1, 2}));
}

TEST(Decision, ThePenaltyCountsFromTheRankAfterTheFreeOnes) {
  DecisionSpec spec = spec_of_three();
  spec.scores = Scores::kProbabilities;
  spec.sets.limits = {0.8f, 0.8f, 0.8f};
  const std::vector<float> scores = {0.5f, 0.25f, 0.25f};  // 0, 0.5, 0.75 without a penalty
  const auto size = [&](float penalty, int free_ranks) {
    spec.sets.penalty = penalty;
    spec.sets.free_ranks = free_ranks;
    return decide(scores, spec, true)->prediction_set.size();
  };
  EXPECT_EQ(size(0, 0), 3u);
  EXPECT_EQ(size(0.1f, 0), 2u);  // 0, 0.6, 0.95
  EXPECT_EQ(size(0.1f, 1), 2u);  // 0, 0.5, 0.85
  EXPECT_EQ(size(0.1f, 2), 3u);  // 0, 0.5, 0.75
  EXPECT_EQ(size(0.4f, 0), 1u);  // 0, 0.9, 1.55
  EXPECT_EQ(size(0.4f, std::numeric_limits<int>::max()), 3u);
}

TEST(Decision, ALimitOfTheNumberOfClassesAsksAtEveryRank) {
  DecisionSpec spec = spec_of_three();
  spec.sets = {{0, 0, 3}, 1, 0};
  EXPECT_EQ(decide(logits_of({0.98f, 0.015f, 0.005f}), spec, true)->prediction_set.size(), 3u);
}

TEST(Decision, SetsArePrefixesOfTheRankingThatHoldWhateverIsAskedFor) {
  std::mt19937 random(17);
  std::uniform_real_distribution<float> unit(0, 1);
  std::array<int, 9> sizes{};
  for (int trial = 0; trial < 20'000; ++trial) {
    const std::size_t count = 1 + random() % 8;
    DecisionSpec spec;
    spec.rejection_threshold = kNever;
    spec.concern.assign(count, Concern::kLow);
    spec.temperature = 0.1f + unit(random);
    spec.sets = {std::vector<float>(count), 0.2f * unit(random), static_cast<int>(random() % 4)};
    for (float& limit : spec.sets.limits) limit = 1.3f * unit(random);
    std::vector<float> logits(count);
    for (float& v : logits) v = 4 * unit(random);
    const auto decision = decide(logits, spec, true);
    ASSERT_TRUE(decision);
    const auto size = decision->prediction_set.size();
    ASSERT_GE(size, 1u);
    ASSERT_TRUE(
        std::equal(decision->prediction_set.begin(), decision->prediction_set.end(), decision->ranking.begin()));
    // Asked for one by one, as the header says; the last in the set asks, none after it does.
    double before = 0;
    for (std::size_t place = 0; place < count; ++place) {
      const auto k = static_cast<std::size_t>(decision->ranking[place]);
      const double over = std::max(0.0, static_cast<double>(place) - spec.sets.free_ranks);
      const bool included = before + static_cast<double>(spec.sets.penalty) * over <= spec.sets.limits[k];
      if (place >= size) {
        ASSERT_FALSE(included);
      } else if (place + 1 == size) {
        ASSERT_TRUE(included || size == 1);
      }
      before += decision->probabilities[k];
    }
    ++sizes[size];
  }
  for (std::size_t size = 1; size <= 8; ++size) EXPECT_GT(sizes[size], 50) << size;  // all of them came about
}

Tier tier_of(const DecisionSpec& spec, std::vector<float> probabilities) {
  return decide(logits_of(std::move(probabilities)), spec, true)->tier;
}

TEST(Decision, TheTierIsCutFromTheSumsOverTheClassesOfAConcern) {
  DecisionSpec spec = spec_of_three();  // low, moderate, high; cuts 0.3 and 0.15
  EXPECT_EQ(tier_of(spec, {0.9f, 0.06f, 0.04f}), Tier::kLow);
  EXPECT_EQ(tier_of(spec, {0.8f, 0.16f, 0.04f}), Tier::kModerate);
  EXPECT_EQ(tier_of(spec, {0.8f, 0.08f, 0.12f}), Tier::kModerate);  // high and moderate together
  EXPECT_EQ(tier_of(spec, {0.65f, 0.01f, 0.34f}), Tier::kHigh);
  EXPECT_EQ(tier_of(spec, {0.01f, 0.97f, 0.02f}), Tier::kModerate);  // moderate alone is never high
  spec.concern = {Concern::kHigh, Concern::kLow, Concern::kHigh};
  EXPECT_EQ(tier_of(spec, {0.16f, 0.68f, 0.16f}), Tier::kHigh);  // two classes of high concern together
}

TEST(Decision, ASumOfExactlyTheCutIsOverIt) {
  DecisionSpec spec = spec_of_three();
  spec.scores = Scores::kProbabilities;
  const auto tier = [&](std::vector<float> scores) { return decide(scores, spec, true)->tier; };
  spec.tiers = {0.5f, 0.25f};
  EXPECT_EQ(tier({0.5f, 0, 0.5f}), Tier::kHigh);
  EXPECT_EQ(tier({0.75f, 0.125f, 0.125f}), Tier::kModerate);
  spec.tiers = {std::nextafter(0.5f, 1.0f), std::nextafter(0.25f, 1.0f)};
  EXPECT_EQ(tier({0.5f, 0, 0.5f}), Tier::kModerate);
  EXPECT_EQ(tier({0.75f, 0.125f, 0.125f}), Tier::kLow);
}

TEST(Decision, HighWinsWhereTheCutForModerateIsHigher) {
  DecisionSpec spec = spec_of_three();
  spec.tiers = {0.2f, 0.6f};
  EXPECT_EQ(tier_of(spec, {0.7f, 0.05f, 0.25f}), Tier::kHigh);
  EXPECT_EQ(tier_of(spec, {0.7f, 0.15f, 0.15f}), Tier::kLow);
}

TEST(Decision, TheTierDependsNeitherOnTheSetNorOnTheFirstClass) {
  DecisionSpec spec = spec_of_three();
  for (const float limit : {0.0f, 0.7f, 3.0f}) {
    spec.sets.limits = {limit, limit, limit};
    EXPECT_EQ(tier_of(spec, {0.62f, 0.07f, 0.31f}), Tier::kHigh);  // first is low, the set may be it alone
    EXPECT_EQ(tier_of(spec, {0.93f, 0.05f, 0.02f}), Tier::kLow);   // the set may hold the class of high concern
    EXPECT_EQ(tier_of(spec, {0.45f, 0.28f, 0.27f}), Tier::kModerate);
  }
}

TEST(Decision, EnergyOverItsThresholdNamesNothing) {
  DecisionSpec spec = spec_of_three();
  const std::vector<float> logits = {0, 0, 0};  // energy -log 3
  spec.rejection_threshold = -1.2f;
  const auto refused = decide(logits, spec, true);
  EXPECT_NEAR(refused->rejection, -std::log(3.0), 1e-6);
  EXPECT_EQ(refused->outcome, Outcome::kNotRecognised);
  EXPECT_EQ(refused->tier, Tier::kUnknown);
  EXPECT_TRUE(refused->prediction_set.empty());
  EXPECT_EQ(refused->ranking.size(), 3u);
  spec.rejection_threshold = -1.0f;
  EXPECT_NE(decide(logits, spec, true)->outcome, Outcome::kNotRecognised);
}

TEST(Decision, APoorPictureNamesNothingWhateverTheNetworkSays) {
  const auto decision = decide(logits_of({0.98f, 0.01f, 0.01f}), spec_of_three(), false);
  EXPECT_EQ(decision->outcome, Outcome::kPoorQuality);
  EXPECT_EQ(decision->tier, Tier::kUnknown);
  EXPECT_TRUE(decision->prediction_set.empty());
}

TEST(Decision, NonsenseIsRefused) {
  const std::vector<float> good = {1, 2, 3};
  const std::vector<float> nan = {1, std::numeric_limits<float>::quiet_NaN(), 3};
  const std::vector<float> infinite = {1, kNever, 3};
  const std::vector<float> two = {1, 2};
  EXPECT_EQ(decide({}, spec_of_three(), true).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(decide(nan, spec_of_three(), true).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(decide(infinite, spec_of_three(), true).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(decide(two, spec_of_three(), true).error().code, ErrorCode::kInvalidArgument);
  for (const float temperature : {0.0f, -1.0f, std::numeric_limits<float>::quiet_NaN()}) {
    DecisionSpec spec = spec_of_three();
    spec.temperature = temperature;
    EXPECT_EQ(decide(good, spec, true).error().code, ErrorCode::kInvalidArgument);
  }
  for (const float wrong : {-0.001f, -kNever, kNever, std::numeric_limits<float>::quiet_NaN()}) {
    const auto refused = [&](auto change) {
      DecisionSpec spec = spec_of_three();
      change(spec);
      const auto decision = decide(good, spec, true);
      return !decision && decision.error().code == ErrorCode::kInvalidArgument;
    };
    EXPECT_TRUE(refused([&](DecisionSpec& spec) { spec.sets.limits[1] = wrong; })) << wrong;
    EXPECT_TRUE(refused([&](DecisionSpec& spec) { spec.sets.penalty = wrong; })) << wrong;
    EXPECT_TRUE(refused([&](DecisionSpec& spec) { spec.tiers.high = wrong; })) << wrong;
    EXPECT_TRUE(refused([&](DecisionSpec& spec) { spec.tiers.moderate = wrong; })) << wrong;
  }
  DecisionSpec fewer = spec_of_three();
  fewer.sets.limits.pop_back();
  EXPECT_EQ(decide(good, fewer, true).error().code, ErrorCode::kInvalidArgument);
  DecisionSpec negative = spec_of_three();
  negative.sets.free_ranks = -1;
  EXPECT_EQ(decide(good, negative, true).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace dermlet
