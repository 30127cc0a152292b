// Outputs of the network -> probabilities, ranking, prediction set, outcome and concern tier.
//
// Probabilities: softmax(logits / temperature), the temperature fitted per modality (Guo et al. 2017). Where the
// network itself gives probabilities they are taken as they are, less the rounding of its own softmax; what lies
// outside 0 to 1 or does not sum to 1 (independent sigmoids, a head that was cut) is refused, since no set or tier
// could be made of it.
//
// Prediction set: adaptive conformal sets (APS, Romano et al. 2020), regularised (RAPS, Angelopoulos et al. 2021), with
// a limit for each class (class-conditional, Vovk 2012; for rare classes that of a cluster, Ding et al. 2023). The
// class at rank r of the ranking (the first is 1) scores
//   s(r) = sum of the probabilities ranked before it + penalty * max(0, r - 1 - free_ranks)
// which is 0 for the first and never falls with r. A class is included when its score is at most its own limit; the
// set is the shortest part of the ranking, from its top, that holds every included class. So nothing is left
// out that is more probable than something that is in, and since that only adds classes each limit keeps its promise.
//
// Concern tier: a separate decision, from the probabilities only. With `high` the sum over the classes of high concern
// and `raised` that over those of high and of moderate concern:
//   kHigh where high >= TierCuts::high, else kLow where raised < TierCuts::moderate, else kModerate
// Neither the first-ranked class nor the set has a say in it.
//
// Rejection score: what rejection.h gives where the model has a file for it, else energy, -logsumexp(logits) without
// temperature (Liu et al. 2020); higher is less like anything the network was trained on.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "contract.h"
#include "expected.h"

namespace dermlet {

struct SetRule {
  std::vector<float>
      limits;          // K, each at least 0; a class whose limit is K is included at every rank where penalty <= 1
  float penalty = 0;   // at least 0, for each rank after the free ones
  int free_ranks = 0;  // at least 0: how many ranks after the first cost nothing beside the probabilities
};

// Shares of probability, 0 to 1.
struct TierCuts {
  float high = 1;      // kHigh from here on, of the classes of high concern together
  float moderate = 1;  // kLow below it, of the classes of high and moderate concern together
};

struct DecisionSpec {
  Scores scores = Scores::kLogits;
  float temperature = 1;  // > 0; ignored for probabilities
  SetRule sets;
  TierCuts tiers;
  float rejection_threshold = 0;  // refused when the rejection score is greater; +infinity never refuses
  std::vector<Concern> concern;   // K
  bool tiered = true;             // else every tier is kUnknown: there are no cuts that were fitted
};

struct Decision {
  std::vector<float> probabilities;  // K, sums to 1
  std::vector<int> ranking;          // K class indices, most probable first; ties in index order
  std::vector<int> prediction_set;   // the first of `ranking`; empty for kNotRecognised and kPoorQuality
  Outcome outcome = Outcome::kPoorQuality;
  Tier tier = Tier::kUnknown;
  float rejection = 0;            // rejection score; 0 when the network gives probabilities only
  float rejection_threshold = 0;  // what it was compared with; +infinity never refuses
};

// Errors: kInvalidArgument when a rule does not fit `count` classes or a number of it or a cut is negative or not
// finite.
[[nodiscard]] Expected<void> check_rules(const SetRule& sets, const TierCuts& tiers, std::size_t count);

// Whether the scores of one view are what `kind` says. Errors: kModelCorrupt when probabilities lie outside 0 to 1 or
// do not sum to 1, both within kProbabilityTolerance, or are not finite. Logits may be anything.
[[nodiscard]] Expected<void> check_scores(std::span<const float> scores, Scores kind);

// Errors: kInvalidArgument when lengths differ, K is 0, the temperature is not positive, a value is not finite, or as
// check_rules(); kModelCorrupt as check_scores().
//   rejection  the rejection score where a model of its own made it; absent: the energy of the logits, 0 for
//   probabilities
[[nodiscard]] Expected<Decision> decide(std::span<const float> scores, const DecisionSpec& spec, bool usable,
                                        std::optional<float> rejection = {});

// The same from calibrated probabilities, for scores that were combined: ranking, set, outcome, tier. Lengths as in
// `spec`; the rejection score is compared with spec.rejection_threshold.
[[nodiscard]] Decision decide_from_probabilities(std::vector<float> probabilities, const DecisionSpec& spec,
                                                 float rejection, bool usable);

// Takes the answer back where the picture does not show one spot: no class may be named then. An outcome that names
// none stays as it is.
void withhold(Decision& decision, Outcome outcome);

}  // namespace dermlet
