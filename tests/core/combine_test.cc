#include "decision/combine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace dermlet {
namespace {

constexpr float kNoThreshold = std::numeric_limits<float>::infinity();

DecisionSpec spec_of(float temperature, float rejection_threshold) {
  DecisionSpec spec;
  spec.temperature = temperature;
  spec.sets.limits = {0.5f, 0.5f, 0.5f};
  spec.tiers = {0.9f, 0.8f};
  spec.rejection_threshold = rejection_threshold;
  spec.concern = {Concern::kLow, Concern::kModerate, Concern::kHigh};
  return spec;
}

// A picture with what an Opinion looks at.
struct Picture {
  std::vector<float> scores;
  DecisionSpec spec;
  Decision alone;

  Picture(std::vector<float> values, DecisionSpec own)
      : scores(std::move(values)), spec(std::move(own)), alone(decide(scores, spec, true).value()) {}
  [[nodiscard]] Opinion opinion() const { return {scores, &spec, &alone}; }
};

const Picture& dermoscopy() {
  static const Picture picture({1, 2, 0.5f}, spec_of(0.8f, -2));  // energy -2.4643688
  return picture;
}
const Picture& photo() {
  static const Picture picture({0.2f, -1, 3}, spec_of(1.5f, -3));  // energy -3.0761512
  return picture;
}

SetRule limits_of(float limit) { return {{limit, limit, limit}, 0, 0}; }

CombinationSpec weighted() { return {{0.7f, 0.4f}, 1.25f, limits_of(0.6f), {0.3f, 0.2f}}; }

Expected<Decision> combined(const Picture& a, const Picture& b, const CombinationSpec& spec) {
  const std::vector<Opinion> both = {a.opinion(), b.opinion()};
  return combine(both, spec);
}

void expect_near(const std::vector<float>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t k = 0; k < found.size(); ++k) EXPECT_NEAR(found[k], expected[k], 1e-6) << k;
}

TEST(Combine, ModalitiesArePooledByWeight) {
  // NumPy: ls = lambda z: z - np.log(np.exp(z).sum())
  //        np.exp(ls((0.7 * ls(np.array([1, 2, 0.5]) / 0.8) + 0.4 * ls(np.array([0.2, -1, 3]) / 1.5)) / 1.25))
  const auto joint = combined(dermoscopy(), photo(), weighted());
  ASSERT_TRUE(joint);
  expect_near(joint->probabilities, {0.26044811, 0.4060205, 0.33353139});
  EXPECT_EQ(joint->ranking, (std::vector<int>{1, 2, 0}));
  EXPECT_EQ(joint->prediction_set,
            (std::vector<int>{1, 2}));  // by the combination's own limits: scores 0, 0.406, 0.740
  EXPECT_EQ(joint->outcome, Outcome::kSeveral);
  EXPECT_EQ(joint->tier, Tier::kHigh);  // by the combination's own cuts: 0.3335 of high concern
}

TEST(Combine, TheOrderOfPicturesWithTheirWeightsDoesNotMatter) {
  CombinationSpec swapped = weighted();
  std::swap(swapped.weights[0], swapped.weights[1]);
  expect_near(combined(photo(), dermoscopy(), swapped)->probabilities, {0.26044811, 0.4060205, 0.33353139});
}

TEST(Combine, AWeightOfNothingLeavesTheOther) {
  const auto joint = combined(dermoscopy(), photo(), {{1, 0}, 1, limits_of(0.5f), {}});
  expect_near(joint->probabilities, {dermoscopy().alone.probabilities.begin(), dermoscopy().alone.probabilities.end()});
}

TEST(Combine, OneModalityTwiceIsTheMeanOfLogits) {
  // NumPy: np.exp(ls((np.array([1, 2, 0.5]) + np.array([0.2, -1, 3])) / 2 / 0.8))
  const Picture second(photo().scores, spec_of(0.8f, -2));
  const auto joint = combined(dermoscopy(), second, {});
  ASSERT_TRUE(joint);
  expect_near(joint->probabilities, {0.16413208, 0.14484605, 0.69102187});
  EXPECT_EQ(joint->prediction_set, (std::vector<int>{2}));  // the modality's own rules: scores 0, 0.691, 0.855
  EXPECT_EQ(joint->tier, Tier::kModerate);                  // 0.691 of high concern, 0.836 raised
}

TEST(Combine, TheSamePictureTwiceIsThatPicture) {
  expect_near(combined(dermoscopy(), dermoscopy(), {})->probabilities,
              {dermoscopy().alone.probabilities.begin(), dermoscopy().alone.probabilities.end()});
}

TEST(Combine, RefusedOnlyWhenBothAre) {
  // Energies -2.4643688 and -3.0761512.
  const auto joint = [&](float first, float second, const CombinationSpec& spec) {
    return combined(Picture(dermoscopy().scores, spec_of(0.8f, first)), Picture(photo().scores, spec_of(1.5f, second)),
                    spec)
        .value();
  };
  for (const CombinationSpec& spec : {weighted(), CombinationSpec{}}) {
    const Decision both = joint(-2.6f, -3.5f, spec);
    EXPECT_EQ(both.outcome, Outcome::kNotRecognised);
    EXPECT_NEAR(both.rejection, -2.4643688 + 2.6, 1e-6);  // the smaller excess: 0.1356, the other 0.4238
    EXPECT_EQ(both.rejection_threshold, 0);
    EXPECT_TRUE(both.prediction_set.empty());
    const Decision one = joint(-2.4f, -3.5f, spec);
    EXPECT_NE(one.outcome, Outcome::kNotRecognised);
    EXPECT_NEAR(one.rejection, -2.4643688 + 2.4, 1e-6);
    const Decision never = joint(-2.6f, kNoThreshold, spec);
    EXPECT_NE(never.outcome, Outcome::kNotRecognised);
    EXPECT_NEAR(never.rejection, -3.0761512, 1e-6);
    EXPECT_EQ(never.rejection_threshold, kNoThreshold);
  }
}

DecisionSpec of_probabilities() {
  DecisionSpec spec = spec_of(1, kNoThreshold);
  spec.scores = Scores::kProbabilities;
  return spec;
}

TEST(Combine, ProbabilitiesArePooledByTheirLogarithmsAndAveragedAsTheyAre) {
  const Picture a({0.7f, 0.2f, 0.1f}, of_probabilities());
  const Picture b({0, 0.5f, 0.5f}, of_probabilities());
  // sqrt(0.7 * smallest), sqrt(0.2 * 0.5), sqrt(0.1 * 0.5), divided by their sum
  expect_near(combined(a, b, {{0.5f, 0.5f}, 1, limits_of(1), {}})->probabilities, {0, 0.58578644, 0.41421356});
  expect_near(combined(a, b, {})->probabilities, {0.35, 0.35, 0.3});
}

TEST(Combine, HugeLogitsAndTinyTemperaturesDoNotOverflow) {
  const Picture a({3e38f, -3e38f, 3e38f}, spec_of(1e-40f, -3e38f));
  const Picture b({-3e38f, 3e38f, 3e38f}, spec_of(1e-40f, -3e38f));
  CombinationSpec spec{{3e38f, 3e38f}, 1e-40f, limits_of(0.9f), {}};
  const auto joint = combined(a, b, spec);
  ASSERT_TRUE(joint);
  expect_near(joint->probabilities, {0, 0, 1});
  EXPECT_TRUE(std::isfinite(joint->rejection));
}

TEST(Combine, NonsenseIsRefused) {
  const auto code = [&](const CombinationSpec& spec, const Picture& second = photo()) {
    return combined(dermoscopy(), second, spec).error().code;
  };
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const SetRule limits = limits_of(0.6f);
  EXPECT_EQ(combine({}, weighted()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{0.5f}, 1, limits, {}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{0.5f, 0.5f, 0.5f}, 1, limits, {}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{0.5f, 0.5f}, 1, {{0.6f, 0.6f}, 0, 0}, {}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{0.5f, kNan}, 1, limits, {}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{0.5f, -0.1f}, 1, limits, {}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{0.5f, 0.5f}, 1, {{0.6f, kNan, 0.6f}, 0, 0}, {}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{0.5f, 0.5f}, 1, limits, {kNan, 0.1f}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{0.5f, 0.5f}, 1, limits, {0.1f, -0.1f}}), ErrorCode::kInvalidArgument);
  for (const float temperature : {0.0f, -1.0f, kNan, kNoThreshold})
    EXPECT_EQ(code({{0.5f, 0.5f}, temperature, limits, {}}), ErrorCode::kInvalidArgument);
  DecisionSpec two = spec_of(1, 0);
  two.sets.limits.pop_back();
  two.concern.pop_back();
  EXPECT_EQ(code(weighted(), Picture({1, 2}, two)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(weighted(), Picture({0.2f, 0.3f, 0.5f}, of_probabilities())), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace dermlet
