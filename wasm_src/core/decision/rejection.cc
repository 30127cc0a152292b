#include "decision/rejection.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "finite.h"

namespace dermlet {
namespace {

constexpr std::size_t kHeaderBytes = 36;
constexpr std::uint32_t kUnitLength = 1;

static_assert(sizeof(float) == 4 && std::numeric_limits<float>::is_iec559);

float float_at(Bytes file, std::size_t at) {
  const std::uint32_t word = *read_u32(file, at, ByteOrder::kLittle);
  float value = 0;
  std::memcpy(&value, &word, sizeof value);
  return value;
}

std::vector<double> project(const RejectionModel& model, std::span<const float> embedding) {
  double square = 0;
  for (const float v : embedding) square += static_cast<double>(v) * v;
  const double scale = model.unit_length && square > 0 ? 1 / std::sqrt(square) : 1;
  std::vector<double> result(model.projected_size);
  const float* row = model.values.data() + model.embedding_size;
  for (double& value : result) {
    for (std::size_t i = 0; i < embedding.size(); ++i) value += (embedding[i] * scale - model.values[i]) * *row++;
  }
  return result;
}

// Squared distance to the k-th nearest of `count` points, k from 1. Each pass finds the next farther one, so that
// nothing is stored; k is small.
double nearest(std::span<const double> from, const float* points, std::size_t count, std::size_t k) {
  double found = -1;
  for (std::size_t passed = 0; passed < k;) {
    double next = std::numeric_limits<double>::infinity();
    std::size_t ties = 0;
    const float* point = points;
    for (std::size_t i = 0; i < count; ++i) {
      double distance = 0;
      for (const double value : from) {
        const double step = value - *point++;
        distance += step * step;
      }
      if (distance <= found || distance > next) continue;
      ties = distance == next ? ties + 1 : 1;
      next = distance;
    }
    found = next;
    passed += ties;
    if (ties == 0) break;
  }
  return found;
}

}  // namespace

double energy_of(std::span<const float> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float v : logits) sum += std::exp(v - top);
  return -(top + std::log(sum));
}

Expected<RejectionModel> read_rejection_model(Bytes file) {
  const auto broken = [] { return fail(ErrorCode::kInvalidArgument, "the rejection model is broken"); };
  if (!starts_with(file, "DRJ1") || file.size() < kHeaderBytes) return broken();
  const auto word = [&](std::size_t at) { return *read_u32(file, at, ByteOrder::kLittle); };
  const std::uint32_t size = word(4);
  const std::uint32_t projected = word(8);
  const std::uint32_t inside = word(12);
  const std::uint32_t outside = word(16);
  const std::uint32_t neighbour = word(20);
  const std::uint32_t flags = word(24);
  const auto within = [](std::uint32_t value, std::uint32_t most) { return value >= 1 && value <= most; };
  if (!within(size, kMaxEmbedding) || !within(projected, kMaxProjected) || !within(inside, kMaxPoints) ||
      outside > kMaxPoints || !within(neighbour, std::min(inside, kMaxNeighbour)) || (flags & ~kUnitLength) != 0) {
    return broken();
  }
  // At most 2^13 + 2^22 + 2^24 floats: nothing here overflows 32 bits.
  const std::uint32_t floats = size + projected * size + (inside + outside) * projected;
  if (file.size() != kHeaderBytes + floats * sizeof(float)) return broken();
  RejectionModel model{size,
                       projected,
                       inside,
                       outside,
                       neighbour,
                       flags != 0,
                       float_at(file, 28),
                       float_at(file, 32),
                       std::vector<float>(floats)};
  for (std::size_t i = 0; i < floats; ++i) model.values[i] = float_at(file, kHeaderBytes + i * sizeof(float));
  if (!std::isfinite(model.energy_weight) || !std::isfinite(model.distance_weight) || !all_finite(model.values))
    return broken();
  return model;
}

Expected<float> rejection_score(const RejectionModel& model, std::span<const float> logits,
                                std::span<const float> embedding) {
  if (logits.empty() || embedding.size() != model.embedding_size || !all_finite(logits) || !all_finite(embedding)) {
    return fail(ErrorCode::kInvalidArgument, "the rejection model wants another embedding, or finite numbers");
  }
  const std::vector<double> q = project(model, embedding);
  const float* inside = model.values.data() + model.embedding_size * (1 + model.projected_size);
  double distance = nearest(q, inside, model.inside_points, model.neighbour);
  if (model.outside_points > 0)
    distance -= nearest(q, inside + model.inside_points * model.projected_size, model.outside_points, 1);
  const auto score = static_cast<float>(model.energy_weight * energy_of(logits) + model.distance_weight * distance);
  if (!std::isfinite(score)) return fail(ErrorCode::kInvalidArgument, "the rejection score is not a finite number");
  return score;
}

}  // namespace dermlet
