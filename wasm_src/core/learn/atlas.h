// Similar cases: the nearest of many embeddings that are kept as 8-bit vectors.
//
//   v = embedding / |embedding|,  scale = greatest |v_d| / 127,  q_d = v_d / scale rounded: what an atlas keeps
//   similarity = cosine of the angle between the query and a case = scale * sum_d q_d u_d, u the query's unit vector
//
// The query is rounded to 12 bits, so that sums are of whole numbers within 32 bits: exact, and the same with vector
// instructions and without. `recall` says how many of the true neighbours this finds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "expected.h"

namespace dermlet {

inline constexpr std::size_t kMaxAtlasWidth = 8192;  // 127 * 2047 * 8192 < 2^31
inline constexpr std::size_t kMaxNeighbours = 100;

// An embedding as an atlas keeps it.
struct AtlasVector {
  std::vector<std::int8_t> values;  // D, -127 to 127
  float scale = 0;                  // 0 for an embedding of length 0
};

struct Atlas {
  std::span<const std::int8_t> vectors;  // N * D
  std::span<const float> scales;         // N
};

struct Neighbour {
  std::uint32_t index = 0;
  float similarity = 0;  // -1 to 1, up to rounding
};

// Errors: kInvalidArgument (no value, more than kMaxAtlasWidth, one that is not finite).
[[nodiscard]] Expected<AtlasVector> quantise(std::span<const float> embedding);

// The `count` nearest, most similar first; of equals the first. All where there are fewer.
// Errors: kInvalidArgument (lengths that do not fit, as quantise(), a count of 0 or over kMaxNeighbours).
[[nodiscard]] Expected<std::vector<Neighbour>> nearest(const Atlas& atlas, std::span<const float> embedding,
                                                       std::size_t count);

// Of the `count` nearest by exact cosine, the share that nearest() finds too: the mean over `queries` of the
// embeddings, evenly spaced, each looked up among all others.
//   embeddings  N * width, N over `count`
// Errors: kInvalidArgument as nearest(), or fewer embeddings.
[[nodiscard]] Expected<double> recall(std::span<const float> embeddings, std::size_t width, std::size_t count,
                                      std::size_t queries);

}  // namespace dermlet
