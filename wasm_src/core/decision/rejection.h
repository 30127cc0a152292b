// How unlike the training pictures a picture is, from the network's logits and embedding: one number, higher is less
// like them.
//
//   q     = P (v - m),  v = embedding, divided by its length first where the model says so
//   near  = squared distance of q to the k-th nearest of the inside points
//   far   = squared distance of q to the nearest of the outside points, 0 where there are none
//   score = a * energy + b * (near - far),  energy = -logsumexp(logits) (Liu et al. 2020)
//
// Which method this is depends on the points. Class means as inside points under a whitening projection give the
// Mahalanobis distance (Lee et al. 2018); training pictures give the k-nearest-neighbour distance (Sun et al. 2022);
// class means inside and means of pictures of no class outside give the difference of two Mahalanobis distances, the
// shared-covariance discriminant of `none of the classes`. tools/train chooses by measurement
// (dermlet_train/rejection.py) and writes the file, which the manifest names in `rejection.file`.
//
// The file, little endian, 32-bit words throughout:
//   0   "DRJ1"
//   4   D, length of the embedding, 1..kMaxEmbedding
//   8   d, length of q, 1..kMaxProjected
//   12  number of inside points, 1..kMaxPoints
//   16  number of outside points, 0..kMaxPoints
//   20  k, 1..number of inside points and at most kMaxNeighbour
//   24  flags: bit 0 divides the embedding by its length; all others are 0
//   28  float a, 32 float b
//   36  floats: m (D), P (d rows of D), inside points (rows of d), outside points (rows of d); nothing after them
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bytes.h"
#include "expected.h"

namespace dermlet {

inline constexpr std::uint32_t kMaxEmbedding = 8192;
inline constexpr std::uint32_t kMaxProjected = 512;
inline constexpr std::uint32_t kMaxPoints = 16384;
inline constexpr std::uint32_t kMaxNeighbour = 64;

struct RejectionModel {
  std::size_t embedding_size = 0;  // D
  std::size_t projected_size = 0;  // d
  std::size_t inside_points = 0;
  std::size_t outside_points = 0;
  std::size_t neighbour = 1;  // k, from 1
  bool unit_length = false;
  float energy_weight = 1;    // a
  float distance_weight = 0;  // b
  std::vector<float> values;  // m, P, inside points, outside points, as in the file
};

// Energy, -logsumexp(logits), in double and shifted by the greatest so that nothing overflows. `logits` must not be
// empty.
[[nodiscard]] double energy_of(std::span<const float> logits);

// Reads the file. Errors: kInvalidArgument when it is not one, its length is not what its sizes say, a size is out of
// range or a value is not finite.
[[nodiscard]] Expected<RejectionModel> read_rejection_model(Bytes file);

// The score of one picture. Errors: kInvalidArgument when there are no logits, the embedding has another length, or a
// value or the score is not finite.
[[nodiscard]] Expected<float> rejection_score(const RejectionModel& model, std::span<const float> logits,
                                              std::span<const float> embedding);

}  // namespace dermlet
