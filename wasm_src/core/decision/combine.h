// Several pictures of one lesion -> one decision.
//
// One picture of each of two modalities (a dermoscopic one and a close-up): the weighted sum of their calibrated
// log-probabilities, a logarithmic opinion pool (Genest and Zidek 1986) with a temperature of its own:
//   z = sum over pictures of weight * log softmax(logits / the picture's temperature)      probabilities = softmax(z /
//   temperature)
// Two pictures of one modality: the mean of their logits (of their probabilities, where the network gives those), then
// the modality's own temperature, sets and tiers.
//
// Rejection: each picture is compared with its own threshold. The lesion's score is the smallest excess, score -
// threshold, and its threshold 0, so that it is refused only when every picture is. Where one of the thresholds never
// refuses the lesion is never refused either; its score is then the smallest score.
#pragma once

#include <span>
#include <vector>

#include "decision/decision.h"
#include "expected.h"

namespace dermlet {

struct CombinationSpec {
  std::vector<float> weights;  // one a picture, at least 0; empty where the pictures are of one modality
  float temperature = 1;       // > 0; this and what follows are used with weights only
  SetRule sets;
  TierCuts tiers;
};

// One usable picture and the decision on it by itself.
struct Opinion {
  std::span<const float> scores;       // K logits or probabilities, as spec->scores says; checked by decide()
  const DecisionSpec* spec = nullptr;  // the picture's own, by its modality
  const Decision* decision = nullptr;
};

// The classes' concern is that of the first picture's spec; without weights temperature, sets and tiers are too.
// Errors: kInvalidArgument (no picture, numbers of classes or kinds of scores that differ, a number of weights that
// does not fit, a temperature that is not positive, a negative weight, a value that is not finite, and as
// check_rules()).
[[nodiscard]] Expected<Decision> combine(std::span<const Opinion> opinions, const CombinationSpec& spec);

}  // namespace dermlet
