// What kind of picture is it? A linear probe on the network's embedding tells a dermoscopic picture from a photo.
//
// Multinomial logistic regression (Alain and Bengio 2016, "Understanding intermediate layers using linear classifier
// probes"): softmax(weights * embedding + bias), one row a modality. The manifest holds the values; they are fitted by
// `python -m dermlet_train calibrate`.
#pragma once

#include <cstddef>
#include <span>

#include "expected.h"

namespace dermlet {

struct RecognisedModality {
  std::size_t index = 0;  // of the most probable modality; the first of equals
  float probability = 0;  // its own, 0 to 1
};

//   embedding  D values
//   weights    M * D values, a row for each modality
//   bias       M values, at least 2
// Errors: kInvalidArgument (lengths that do not fit, values that are not finite).
[[nodiscard]] Expected<RecognisedModality> recognise_modality(std::span<const float> embedding,
                                                              std::span<const float> weights,
                                                              std::span<const float> bias);

}  // namespace dermlet
