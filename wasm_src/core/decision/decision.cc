#include "decision/decision.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "decision/rejection.h"
#include "finite.h"

namespace dermlet {
namespace {

std::vector<float> to_probabilities(std::span<const float> scores, const DecisionSpec& spec) {
  std::vector<float> result(scores.size());
  if (spec.scores == Scores::kLogits) {
    // Divided by the sum and not less its logarithm, which vanishes beside logits that a tiny temperature makes huge.
    const double temperature = spec.temperature;
    const double top = *std::max_element(scores.begin(), scores.end()) / temperature;
    double sum = 0;
    for (const float v : scores) sum += std::exp(v / temperature - top);
    std::transform(scores.begin(), scores.end(), result.begin(),
                   [&](float v) { return static_cast<float>(std::exp(v / temperature - top) / sum); });
    return result;
  }
  // A network's own softmax sums to 1 only up to its rounding.
  double sum = 0;
  for (const float v : scores) sum += std::max(v, 0.0f);
  std::transform(scores.begin(), scores.end(), result.begin(),
                 [&](float v) { return static_cast<float>(std::max(v, 0.0f) / sum); });
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

// How many classes of the ranking, from its top, are in the set: at least one.
std::size_t set_size(const Decision& decision, const SetRule& rule) {
  std::size_t size = 1;
  double before = 0;  // probabilities of the classes ranked before this one
  for (std::size_t place = 0; place < decision.ranking.size(); ++place) {
    const auto k = static_cast<std::size_t>(decision.ranking[place]);
    const double after_free = std::max(0.0, static_cast<double>(place) - rule.free_ranks);
    if (before + rule.penalty * after_free <= rule.limits[k]) size = place + 1;
    before += decision.probabilities[k];
  }
  return size;
}

Tier concern_tier(std::span<const float> probabilities, const DecisionSpec& spec) {
  if (!spec.tiered) return Tier::kUnknown;
  double high = 0;
  double moderate = 0;
  for (std::size_t k = 0; k < spec.concern.size(); ++k) {
    if (spec.concern[k] == Concern::kHigh) high += probabilities[k];
    if (spec.concern[k] == Concern::kModerate) moderate += probabilities[k];
  }
  if (high >= spec.tiers.high) return Tier::kHigh;
  return high + moderate < spec.tiers.moderate ? Tier::kLow : Tier::kModerate;
}

}  // namespace

Expected<void> check_rules(const SetRule& sets, const TierCuts& tiers, std::size_t count) {
  const auto fits = [](float v) { return std::isfinite(v) && v >= 0; };
  if (sets.limits.size() != count)
    return fail(ErrorCode::kInvalidArgument, "limits of the set and classes differ in number");
  if (!std::all_of(sets.limits.begin(), sets.limits.end(), fits) || !fits(sets.penalty) || sets.free_ranks < 0) {
    return fail(ErrorCode::kInvalidArgument, "a number of the prediction sets is negative or not finite");
  }
  if (!fits(tiers.high) || !fits(tiers.moderate))
    return fail(ErrorCode::kInvalidArgument, "a cut of the tiers is negative or not finite");
  return {};
}

Expected<void> check_scores(std::span<const float> scores, Scores kind) {
  if (kind == Scores::kLogits) return {};
  double sum = 0;
  for (const float v : scores) {
    if (!(v >= -kProbabilityTolerance && v <= 1 + kProbabilityTolerance))
      return fail(ErrorCode::kModelCorrupt, "the network's probabilities do not lie between 0 and 1");
    sum += v;
  }
  if (!(std::abs(sum - 1) <= kProbabilityTolerance))
    return fail(ErrorCode::kModelCorrupt, "the network's probabilities do not sum to 1");
  return {};
}

Expected<Decision> decide(std::span<const float> scores, const DecisionSpec& spec, bool usable,
                          std::optional<float> rejection) {
  const std::size_t count = scores.size();
  if (count == 0) return fail(ErrorCode::kInvalidArgument, "the network gave no scores");
  if (spec.concern.size() != count) return fail(ErrorCode::kInvalidArgument, "scores and classes differ in number");
  DERMLET_CHECK(check_scores(scores, spec.scores));
  if (!all_finite(scores)) return fail(ErrorCode::kInvalidArgument, "a score is not a finite number");
  DERMLET_CHECK(check_rules(spec.sets, spec.tiers, count));
  if (spec.scores == Scores::kLogits && (!std::isfinite(spec.temperature) || spec.temperature <= 0))
    return fail(ErrorCode::kInvalidArgument, "the temperature must be positive");
  if (std::isnan(spec.rejection_threshold))
    return fail(ErrorCode::kInvalidArgument, "the rejection threshold is not a number");

  if (rejection && !std::isfinite(*rejection))
    return fail(ErrorCode::kInvalidArgument, "the rejection score is not a finite number");
  if (!rejection) rejection = spec.scores == Scores::kLogits ? static_cast<float>(energy_of(scores)) : 0.0f;
  return decide_from_probabilities(to_probabilities(scores, spec), spec, *rejection, usable);
}

Decision decide_from_probabilities(std::vector<float> probabilities, const DecisionSpec& spec, float rejection,
                                   bool usable) {
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
  const std::size_t size = set_size(decision, spec.sets);
  decision.prediction_set.assign(decision.ranking.begin(),
                                 decision.ranking.begin() + static_cast<std::ptrdiff_t>(size));
  decision.outcome = size == 1 ? Outcome::kSingle : Outcome::kSeveral;
  decision.tier = concern_tier(decision.probabilities, spec);
  return decision;
}

void withhold(Decision& decision, Outcome outcome) {
  if (decision.outcome != Outcome::kSingle && decision.outcome != Outcome::kSeveral) return;
  decision.outcome = outcome;
  decision.tier = Tier::kUnknown;
  decision.prediction_set.clear();
}

}  // namespace dermlet
