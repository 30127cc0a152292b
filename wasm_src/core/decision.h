// Outputs of the network -> probabilities, ranking, prediction set, outcome and concern tier.
//
// Probabilities: softmax(logits / temperature), the temperature fitted per modality (Guo et al. 2017). Prediction set: class k is in the set
// when its probability reaches the class's own threshold (class-conditional split conformal prediction, Vovk 2012, Sadinle et al. 2019); the
// first-ranked class is always in. Rejection score: what rejection.h gives where the model has a file for it, else energy, -logsumexp(logits) without
// temperature (Liu et al. 2020); higher is less like anything the network was trained on. Concern tier: never from the first-ranked class alone, but the highest concern of any class in the set,
// and high as well when the high-concern classes together reach `high_concern_mass`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "result.h"

namespace dermlet {

enum class Scores : std::uint8_t { kLogits, kProbabilities };  // what the network's first output holds
enum class Concern : std::uint8_t { kLow, kModerate, kHigh };
enum class Tier : std::uint8_t { kLow, kModerate, kHigh, kUnknown };  // kUnknown where no class may be named
enum class Outcome : std::uint8_t {
  kSingle,         // one class in the prediction set
  kSeveral,        // two or more
  kNotRecognised,  // rejection score over its threshold: nothing the network knows
  kPoorQuality,    // the picture is not usable
  kNoSpot,         // nothing stands out in the picture: a frame must be chosen
  kSeveralSpots,   // two spots or more do about equally: one must be chosen
};

struct DecisionSpec {
  Scores scores = Scores::kLogits;
  float temperature = 1;               // > 0; ignored for probabilities
  std::vector<float> set_thresholds;   // K, each 0..1
  float rejection_threshold = 0;       // refused when the rejection score is greater; +infinity never refuses
  std::vector<Concern> concern;        // K
  float high_concern_mass = 1;         // 0..1
};

struct Decision {
  std::vector<float> probabilities;  // K, sums to 1
  std::vector<int> ranking;          // K class indices, most probable first; ties in index order
  std::vector<int> prediction_set;   // class indices in ranking order; empty for kNotRecognised and kPoorQuality
  Outcome outcome = Outcome::kPoorQuality;
  Tier tier = Tier::kUnknown;
  float rejection = 0;               // rejection score; 0 when the network gives probabilities only
  float rejection_threshold = 0;     // what it was held against; +infinity never refuses
};

// Errors: kInvalidArgument when lengths differ, K is 0, the temperature is not positive, or a value is not finite.
//   rejection  the rejection score where a model of its own made it; absent: the energy of the logits, 0 for probabilities
[[nodiscard]] Result<Decision> decide(std::span<const float> scores, const DecisionSpec& spec, bool usable, std::optional<float> rejection = {});

// The same from calibrated probabilities on, for scores that were combined: ranking, set, outcome, tier. Lengths as in `spec`; the rejection score is held against
// spec.rejection_threshold.
[[nodiscard]] Decision conclude(std::vector<float> probabilities, const DecisionSpec& spec, float rejection, bool usable);

// Takes the answer back where the picture does not show one spot: no class may be named then. An outcome that names none stays as it is.
void withhold(Decision& decision, Outcome outcome);

}  // namespace dermlet
