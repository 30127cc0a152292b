// Any numbers as network outputs: a decision whose parts agree, or an error.
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "pipeline.h"

using namespace dermlet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const int classes = 1 + data[0] % 12;
  const int rows = data[1] % 9;
  const int columns = data[2] % 9;
  const std::uint8_t flags = data[3];
  std::vector<float> values((size - 4) / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), data + 4, values.size() * sizeof(float));
  const std::span<const float> all(values);
  const auto count = static_cast<std::size_t>(classes);
  if (all.size() < 2 * count + 3) return 0;
  DecisionSpec spec;
  spec.scores = flags & 1 ? Scores::kProbabilities : Scores::kLogits;
  spec.set_thresholds.assign(all.begin() + static_cast<std::ptrdiff_t>(count), all.begin() + static_cast<std::ptrdiff_t>(2 * count));
  spec.temperature = all[2 * count];
  spec.rejection_threshold = all[2 * count + 1];
  spec.high_concern_mass = all[2 * count + 2];
  for (std::size_t k = 0; k < count; ++k) spec.concern.push_back(static_cast<Concern>(k % 3));
  const ModelOutputs outputs{all.first(count), all.subspan(2 * count + 3), rows, columns, {}};
  const auto told = interpret(outputs, spec, (flags & 2) != 0, flags & 4 ? std::optional(Explain{-1, 1 + rows, 1 + columns}) : std::nullopt);
  if (!told) return 0;
  const Decision& decision = told->decision;
  double sum = 0;
  for (const float p : decision.probabilities) {
    if (!(p >= 0 && p <= 1.0001f)) std::abort();
    sum += p;
  }
  if (std::abs(sum - 1) > 1e-3) std::abort();
  const bool named = decision.outcome == Outcome::kSingle || decision.outcome == Outcome::kSeveral;
  if (named == decision.prediction_set.empty() || named == (decision.tier == Tier::kUnknown)) std::abort();
  return 0;
}
