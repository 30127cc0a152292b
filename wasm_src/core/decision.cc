#include "decision.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "rejection.h"

namespace dermlet {
namespace {

bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

std::vector<float> to_probabilities(std::span<const float> scores, const DecisionSpec& spec) {
  std::vector<float> result(scores.size());
  if (spec.scores == Scores::kLogits) {
    // Divided by the sum and not less its logarithm, which vanishes beside logits that a tiny temperature makes huge.
    const double temperature = spec.temperature;
    const double top = *std::max_element(scores.begin(), scores.end()) / temperature;
    double sum = 0;
    for (const float v : scores) sum += std::exp(v / temperature - top);
    std::transform(scores.begin(), scores.end(), result.begin(), [&](float v) { return static_cast<float>(std::exp(v / temperature - top) / sum); });
    return result;
  }
  // A network's own softmax sums to 1 only up to its rounding; merged or truncated heads may not at all.
  double sum = 0;
  for (const float v : scores) sum += std::max(v, 0.0f);
  std::transform(scores.begin(), scores.end(), result.begin(), [&](float v) {
    return sum > 0 ? static_cast<float>(std::max(v, 0.0f) / sum) : 1.0f / static_cast<float>(scores.size());
  });
  return result;
}

std::vector<int> rank(std::span<const float> probabilities) {
  std::vector<int> order(probabilities.size());
  std::iota(order.begin(), order.end(), 0);
  const auto before = [&](int a, int b) {
    const float pa = probabilities[static_cast<std::size_t>(a)];
    const float pb = probabilities[static_cast<std::size_t>(b)];
    return pa > pb || (pa == pb && a < b);
  };
  std::sort(order.begin(), order.end(), before);
  return order;
}

Tier tier_of(Concern concern) {
  switch (concern) {
    case Concern::kLow: return Tier::kLow;
    case Concern::kModerate: return Tier::kModerate;
    case Concern::kHigh: return Tier::kHigh;
  }
  return Tier::kUnknown;
}

// The highest concern in the set, raised to high when high-concern classes together weigh enough whether or not one of them is in the set.
Tier concern_tier(const Decision& decision, const DecisionSpec& spec) {
  Concern highest = Concern::kLow;
  for (const int k : decision.prediction_set) highest = std::max(highest, spec.concern[static_cast<std::size_t>(k)]);
  double mass = 0;
  for (std::size_t k = 0; k < spec.concern.size(); ++k) {
    if (spec.concern[k] == Concern::kHigh) mass += decision.probabilities[k];
  }
  const bool any_high = std::find(spec.concern.begin(), spec.concern.end(), Concern::kHigh) != spec.concern.end();
  if (any_high && mass >= spec.high_concern_mass) highest = Concern::kHigh;
  return tier_of(highest);
}

}  // namespace

Result<Decision> decide(std::span<const float> scores, const DecisionSpec& spec, bool usable, std::optional<float> rejection) {
  const std::size_t count = scores.size();
  if (count == 0) return fail(ErrorCode::kInvalidArgument, "the network gave no scores");
  if (spec.set_thresholds.size() != count || spec.concern.size() != count) return fail(ErrorCode::kInvalidArgument, "scores, thresholds and classes differ in number");
  if (!all_finite(scores) || !all_finite(spec.set_thresholds)) return fail(ErrorCode::kInvalidArgument, "a score or threshold is not a finite number");
  if (spec.scores == Scores::kLogits && (!std::isfinite(spec.temperature) || spec.temperature <= 0)) return fail(ErrorCode::kInvalidArgument, "the temperature must be positive");
  if (std::isnan(spec.rejection_threshold) || std::isnan(spec.high_concern_mass)) return fail(ErrorCode::kInvalidArgument, "a threshold is not a number");

  if (rejection && !std::isfinite(*rejection)) return fail(ErrorCode::kInvalidArgument, "the rejection score is not a finite number");
  if (!rejection) rejection = spec.scores == Scores::kLogits ? static_cast<float>(energy_of(scores)) : 0.0f;
  return conclude(to_probabilities(scores, spec), spec, *rejection, usable);
}

Decision conclude(std::vector<float> probabilities, const DecisionSpec& spec, float rejection, bool usable) {
  Decision decision;
  decision.probabilities = std::move(probabilities);
  decision.ranking = rank(decision.probabilities);
  decision.rejection = rejection;
  decision.rejection_threshold = spec.rejection_threshold;
  if (!usable) return decision;
  if (rejection > spec.rejection_threshold) {
    decision.outcome = Outcome::kNotRecognised;
    return decision;
  }
  for (const int k : decision.ranking) {
    const auto i = static_cast<std::size_t>(k);
    if (decision.prediction_set.empty() || decision.probabilities[i] >= spec.set_thresholds[i]) decision.prediction_set.push_back(k);
  }
  decision.outcome = decision.prediction_set.size() == 1 ? Outcome::kSingle : Outcome::kSeveral;
  decision.tier = concern_tier(decision, spec);
  return decision;
}

void withhold(Decision& decision, Outcome outcome) {
  if (decision.outcome != Outcome::kSingle && decision.outcome != Outcome::kSeveral) return;
  decision.outcome = outcome;
  decision.tier = Tier::kUnknown;
  decision.prediction_set.clear();
}

}  // namespace dermlet
