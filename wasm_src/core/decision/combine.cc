#include "decision/combine.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "finite.h"

namespace dermlet {
namespace {

// values / temperature less log(sum(exp(values / temperature))), in double: no float is so great that this overflows.
std::vector<double> log_softmax(std::span<const double> values, double temperature) {
  const double top = *std::max_element(values.begin(), values.end()) / temperature;
  double sum = 0;
  for (const double v : values) sum += std::exp(v / temperature - top);
  std::vector<double> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(),
                 [&](double v) { return v / temperature - top - std::log(sum); });
  return result;
}

// A probability of 0 is taken as the smallest that a float holds without loss: one network's certainty must not silence
// the other picture for good.
std::vector<double> log_probabilities(const Opinion& opinion) {
  const DecisionSpec& spec = *opinion.spec;
  std::vector<double> values(opinion.scores.begin(), opinion.scores.end());
  if (spec.scores == Scores::kLogits) return log_softmax(values, spec.temperature);
  std::transform(opinion.decision->probabilities.begin(), opinion.decision->probabilities.end(), values.begin(),
                 [](float p) { return std::log(static_cast<double>(std::max(p, std::numeric_limits<float>::min()))); });
  return values;
}

std::vector<float> pooled(std::span<const Opinion> opinions, const CombinationSpec& spec) {
  std::vector<double> sums(opinions.front().scores.size());
  for (std::size_t i = 0; i < opinions.size(); ++i) {
    const auto logs = log_probabilities(opinions[i]);
    for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += static_cast<double>(spec.weights[i]) * logs[k];
  }
  const auto logs = log_softmax(sums, spec.temperature);
  std::vector<float> probabilities(logs.size());
  std::transform(logs.begin(), logs.end(), probabilities.begin(),
                 [](double v) { return static_cast<float>(std::exp(v)); });
  return probabilities;
}

std::vector<float> mean_scores(std::span<const Opinion> opinions) {
  std::vector<float> means(opinions.front().scores.size());
  for (std::size_t k = 0; k < means.size(); ++k) {
    double sum = 0;
    for (const Opinion& opinion : opinions) sum += opinion.scores[k];
    means[k] = static_cast<float>(sum / static_cast<double>(opinions.size()));
  }
  return means;
}

// {score, threshold} of the lesion.
std::pair<float, float> joint_rejection(std::span<const Opinion> opinions) {
  using Limits = std::numeric_limits<float>;
  bool never = false;
  double excess = std::numeric_limits<double>::infinity();
  float score = Limits::infinity();
  for (const Opinion& opinion : opinions) {
    const Decision& own = *opinion.decision;
    never = never || own.rejection_threshold == Limits::infinity();
    excess = std::min(excess, static_cast<double>(own.rejection) - own.rejection_threshold);
    score = std::min(score, own.rejection);
  }
  if (never) return {score, Limits::infinity()};
  return {
      static_cast<float>(std::clamp(excess, static_cast<double>(Limits::lowest()), static_cast<double>(Limits::max()))),
      0.0f};
}

}  // namespace

Expected<Decision> combine(std::span<const Opinion> opinions, const CombinationSpec& spec) {
  if (opinions.empty()) return fail(ErrorCode::kInvalidArgument, "there is no picture to combine");
  const Opinion& first = opinions.front();
  const std::size_t count = first.scores.size();
  for (const Opinion& opinion : opinions) {
    if (opinion.scores.size() != count || opinion.spec->scores != first.spec->scores)
      return fail(ErrorCode::kInvalidArgument, "the pictures' scores do not fit together");
  }
  const auto [rejection, threshold] = joint_rejection(opinions);
  DecisionSpec joint = *first.spec;
  if (spec.weights.empty()) {
    DERMLET_TRY(mean, decide(mean_scores(opinions), joint, true));
    joint.rejection_threshold = threshold;
    return decide_from_probabilities(std::move(mean.probabilities), joint, rejection, true);
  }
  if (spec.weights.size() != opinions.size())
    return fail(ErrorCode::kInvalidArgument, "weights and pictures differ in number");
  DERMLET_CHECK(check_rules(spec.sets, spec.tiers, count));
  if (!all_finite(spec.weights)) return fail(ErrorCode::kInvalidArgument, "a weight is not a finite number");
  if (*std::min_element(spec.weights.begin(), spec.weights.end()) < 0)
    return fail(ErrorCode::kInvalidArgument, "a weight is negative");
  if (!std::isfinite(spec.temperature) || spec.temperature <= 0)
    return fail(ErrorCode::kInvalidArgument, "the temperature must be positive");
  joint.sets = spec.sets;
  joint.tiers = spec.tiers;
  joint.rejection_threshold = threshold;
  return decide_from_probabilities(pooled(opinions, spec), joint, rejection, true);
}

}  // namespace dermlet
