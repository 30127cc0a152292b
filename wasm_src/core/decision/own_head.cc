#include "decision/own_head.h"

#include <cmath>

namespace dermlet {

Expected<std::vector<float>> logits_of(const OwnHead& head, std::span<const float> embedding) {
  const auto& [weights, bias] = head;
  if (bias.empty() || embedding.empty() || weights.size() % bias.size() != 0 ||
      weights.size() / bias.size() != embedding.size())
    return fail(ErrorCode::kInvalidArgument, "the head does not fit the network's embedding");
  std::vector<float> logits;
  logits.reserve(bias.size());
  const float* weight = weights.data();
  for (const float offset : bias) {
    double sum = offset;
    for (const float value : embedding) sum += static_cast<double>(*weight++) * value;
    if (!std::isfinite(sum)) return fail(ErrorCode::kInvalidArgument, "a score of the head is not a finite number");
    logits.push_back(static_cast<float>(sum));
  }
  return logits;
}

}  // namespace dermlet
