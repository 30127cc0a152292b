#include "decision/modality.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace dermlet {

Expected<RecognisedModality> recognise_modality(std::span<const float> embedding, std::span<const float> weights,
                                                std::span<const float> bias) {
  if (bias.size() < 2 || embedding.empty() || weights.size() / bias.size() != embedding.size() ||
      weights.size() % bias.size() != 0) {
    return fail(ErrorCode::kInvalidArgument, "the modality probe does not fit the network's embedding");
  }
  std::vector<double> scores(bias.begin(), bias.end());
  for (std::size_t m = 0; m < scores.size(); ++m) {
    for (std::size_t d = 0; d < embedding.size(); ++d) {
      scores[m] += static_cast<double>(weights[m * embedding.size() + d]) * embedding[d];
    }
  }
  if (!std::all_of(scores.begin(), scores.end(), [](double v) { return std::isfinite(v); })) {
    return fail(ErrorCode::kInvalidArgument, "a value of the modality probe is not a finite number");
  }
  const auto top = std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const double score : scores) sum += std::exp(score - *top);
  return RecognisedModality{static_cast<std::size_t>(top - scores.begin()), static_cast<float>(1 / sum)};
}

}  // namespace dermlet
