#include "learn/atlas.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "finite.h"

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#endif

namespace dermlet {
namespace {

// Whole numbers: they may be added in any order.
std::int32_t product(const std::int8_t* a, const std::int16_t* b, std::size_t size) {
  std::int32_t sum = 0;
  std::size_t i = 0;
#ifdef __wasm_simd128__
  // A fifth of the time of what the compiler makes of the loop below. Two sums, so that neither waits for the other.
  v128_t low = wasm_i32x4_splat(0);
  v128_t high = low;
  for (; i + 16 <= size; i += 16) {
    const v128_t cases = wasm_v128_load(a + i);
    low = wasm_i32x4_add(low, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(cases), wasm_v128_load(b + i)));
    high = wasm_i32x4_add(high, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(cases), wasm_v128_load(b + i + 8)));
  }
  low = wasm_i32x4_add(low, high);
  sum = wasm_i32x4_extract_lane(low, 0) + wasm_i32x4_extract_lane(low, 1) + wasm_i32x4_extract_lane(low, 2) +
        wasm_i32x4_extract_lane(low, 3);
#endif
  for (; i < size; ++i) sum += static_cast<std::int16_t>(a[i]) * b[i];
  return sum;
}

double length_of(std::span<const float> embedding) {
  double square = 0;
  for (const float v : embedding) square += static_cast<double>(v) * v;
  return std::sqrt(square);
}

// The best of those offered in the order of their indices: of equals the first stays.
class Best {
 public:
  explicit Best(std::size_t count) : count_(count) { found_.reserve(count + 1); }

  void offer(std::uint32_t index, float similarity) {
    if (found_.size() == count_ && similarity <= found_.back().similarity) return;
    const auto before = [similarity](const Neighbour& other) { return other.similarity >= similarity; };
    found_.insert(std::partition_point(found_.begin(), found_.end(), before), {index, similarity});
    if (found_.size() > count_) found_.pop_back();
  }
  [[nodiscard]] std::vector<Neighbour> take() { return std::move(found_); }

 private:
  std::size_t count_;
  std::vector<Neighbour> found_;
};

Expected<void> check(std::span<const float> embedding, std::size_t count) {
  if (embedding.empty() || embedding.size() > kMaxAtlasWidth)
    return fail(ErrorCode::kInvalidArgument, "the embedding has no values, or more than can be looked up");
  if (!all_finite(embedding))
    return fail(ErrorCode::kInvalidArgument, "a value of the embedding is not a finite number");
  if (count == 0 || count > kMaxNeighbours)
    return fail(ErrorCode::kInvalidArgument, "1 to 100 neighbours can be looked up");
  return {};
}

}  // namespace

Expected<AtlasVector> quantise(std::span<const float> embedding) {
  DERMLET_CHECK(check(embedding, 1));
  AtlasVector vector{std::vector<std::int8_t>(embedding.size()), 0};
  double most = 0;
  for (const float v : embedding) most = std::max(most, std::abs(static_cast<double>(v)));
  if (most == 0) return vector;
  vector.scale = static_cast<float>(most / 127 / length_of(embedding));
  std::transform(embedding.begin(), embedding.end(), vector.values.begin(),
                 [most](float v) { return static_cast<std::int8_t>(std::lround(v / most * 127)); });
  return vector;
}

Expected<std::vector<Neighbour>> nearest(const Atlas& atlas, std::span<const float> embedding, std::size_t count) {
  DERMLET_CHECK(check(embedding, count));
  const std::size_t width = embedding.size();
  if (atlas.vectors.size() % width != 0 || atlas.vectors.size() / width != atlas.scales.size())
    return fail(ErrorCode::kInvalidArgument, "the atlas is of other embeddings");
  double most = 0;
  for (const float v : embedding) most = std::max(most, std::abs(static_cast<double>(v)));
  std::vector<std::int16_t> query(width);
  constexpr double kQuery = 2047;
  const double length = length_of(embedding);
  const double unit = most == 0 ? 0 : most / kQuery / length;
  if (most > 0) {
    std::transform(embedding.begin(), embedding.end(), query.begin(),
                   [most](float v) { return static_cast<std::int16_t>(std::lround(v / most * kQuery)); });
  }
  Best best(std::min(count, atlas.scales.size()));
  for (std::size_t i = 0; i < atlas.scales.size(); ++i) {
    const std::int32_t sum = product(atlas.vectors.data() + i * width, query.data(), width);
    best.offer(static_cast<std::uint32_t>(i), static_cast<float>(sum * unit * atlas.scales[i]));
  }
  return best.take();
}

Expected<double> recall(std::span<const float> embeddings, std::size_t width, std::size_t count, std::size_t queries) {
  if (width == 0 || embeddings.size() % width != 0 || embeddings.size() / width <= count || queries == 0)
    return fail(ErrorCode::kInvalidArgument, "there are too few embeddings to look up neighbours among");
  DERMLET_CHECK(check(embeddings.first(width), count));
  const std::size_t all = embeddings.size() / width;
  std::vector<std::int8_t> vectors;
  std::vector<float> scales;
  std::vector<double> lengths;
  for (std::size_t i = 0; i < all; ++i) {
    DERMLET_TRY(vector, quantise(embeddings.subspan(i * width, width)));
    vectors.insert(vectors.end(), vector.values.begin(), vector.values.end());
    scales.push_back(vector.scale);
    lengths.push_back(std::max(length_of(embeddings.subspan(i * width, width)), 1e-300));
  }
  queries = std::min(queries, all);
  std::size_t found = 0;
  for (std::size_t q = 0; q < queries; ++q) {
    const std::size_t own = q * all / queries;
    const std::span<const float> query = embeddings.subspan(own * width, width);
    Best exact(count);
    for (std::size_t i = 0; i < all; ++i) {
      if (i == own) continue;
      const float* other = embeddings.data() + i * width;
      const double sum = std::inner_product(query.begin(), query.end(), other, 0.0);
      exact.offer(static_cast<std::uint32_t>(i), static_cast<float>(sum / lengths[i] / lengths[own]));
    }
    const std::vector<Neighbour> wanted = exact.take();
    DERMLET_TRY(given, nearest({vectors, scales}, query, std::min(count + 1, kMaxNeighbours)));
    std::erase_if(given, [own](const Neighbour& each) { return each.index == own; });
    given.resize(std::min(given.size(), count));
    found += static_cast<std::size_t>(std::count_if(wanted.begin(), wanted.end(), [&](const Neighbour& one) {
      return std::any_of(given.begin(), given.end(), [&](const Neighbour& other) { return other.index == one.index; });
    }));
  }
  return static_cast<double>(found) / static_cast<double>(queries * count);
}

}  // namespace dermlet
