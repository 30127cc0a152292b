#include "decision.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace dermlet {
namespace {

constexpr float kNever = std::numeric_limits<float>::infinity();

DecisionSpec spec_of_three() {
  DecisionSpec spec;
  spec.set_thresholds = {0.2f, 0.2f, 0.2f};
  spec.rejection_threshold = kNever;
  spec.concern = {Concern::kLow, Concern::kModerate, Concern::kHigh};
  spec.high_concern_mass = 0.3f;
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

TEST(Decision, ProbabilitiesAreTakenAsTheyAreAndSumToOne) {
  DecisionSpec spec = spec_of_three();
  spec.scores = Scores::kProbabilities;
  spec.rejection_threshold = -100;  // there is no energy without logits: never refused
  const std::vector<float> scores = {0.2f, 0.2f, 0.4f};
  const auto decision = decide(scores, spec, true);
  EXPECT_FLOAT_EQ(decision->probabilities[2], 0.5f);
  EXPECT_FLOAT_EQ(decision->rejection, 0);
}

TEST(Decision, TiesRankInIndexOrder) {
  const std::vector<float> logits = {1, 1, 1};
  EXPECT_EQ(decide(logits, spec_of_three(), true)->ranking, (std::vector<int>{0, 1, 2}));
}

TEST(Decision, TheSetHoldsWhatReachesItsOwnThresholdAndAlwaysTheFirst) {
  DecisionSpec spec = spec_of_three();
  spec.set_thresholds = {0.9f, 0.25f, 0.05f};
  const auto decision = decide(logits_of({0.6f, 0.3f, 0.1f}), spec, true);
  EXPECT_EQ(decision->prediction_set, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(decision->outcome, Outcome::kSeveral);
  spec.set_thresholds = {0.9f, 0.31f, 0.11f};
  const auto narrow = decide(logits_of({0.6f, 0.3f, 0.1f}), spec, true);
  EXPECT_EQ(narrow->prediction_set, (std::vector<int>{0}));
  EXPECT_EQ(narrow->outcome, Outcome::kSingle);
}

TEST(Decision, TheTierIsTheHighestConcernInTheSetAndNotTheFirstClass) {
  DecisionSpec spec = spec_of_three();
  spec.high_concern_mass = 1;
  EXPECT_EQ(decide(logits_of({0.9f, 0.06f, 0.04f}), spec, true)->tier, Tier::kLow);
  EXPECT_EQ(decide(logits_of({0.7f, 0.26f, 0.04f}), spec, true)->tier, Tier::kModerate);
  EXPECT_EQ(decide(logits_of({0.7f, 0.08f, 0.22f}), spec, true)->tier, Tier::kHigh);
}

TEST(Decision, HighConcernMassRaisesTheTierEvenOutsideTheSet) {
  DecisionSpec spec = spec_of_three();
  spec.set_thresholds = {0.2f, 0.2f, 0.5f};
  const auto decision = decide(logits_of({0.62f, 0.07f, 0.31f}), spec, true);
  EXPECT_EQ(decision->prediction_set, (std::vector<int>{0}));
  EXPECT_EQ(decision->tier, Tier::kHigh);
}

TEST(Decision, WithoutHighConcernClassesTheMassRaisesNothing) {
  DecisionSpec spec = spec_of_three();
  spec.concern = {Concern::kLow, Concern::kLow, Concern::kLow};
  spec.high_concern_mass = 0;
  EXPECT_EQ(decide(logits_of({0.9f, 0.06f, 0.04f}), spec, true)->tier, Tier::kLow);
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
}

}  // namespace
}  // namespace dermlet
