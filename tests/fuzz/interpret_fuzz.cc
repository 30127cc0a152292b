// Any numbers as network outputs, of one view or several, for one picture or two of a lesion: decisions whose parts
// agree, or an error.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "pipeline.h"

using namespace dermlet;

namespace {

void check(const Decision& decision) {
  double sum = 0;
  for (const float p : decision.probabilities) {
    if (!(p >= 0 && p <= 1.0001f)) std::abort();
    sum += p;
  }
  if (std::abs(sum - 1) > 1e-3 || std::isnan(decision.rejection)) std::abort();
  const bool named = decision.outcome == Outcome::kSingle || decision.outcome == Outcome::kSeveral;
  if (named == decision.prediction_set.empty() || named == (decision.tier == Tier::kUnknown)) std::abort();
  const auto& set = decision.prediction_set;
  if (set.size() > decision.ranking.size() || !std::equal(set.begin(), set.end(), decision.ranking.begin()))
    std::abort();
}

// Takes floats from the front; fewer where there are fewer.
std::span<const float> take(std::span<const float>& from, std::size_t count) {
  const auto front = from.first(std::min(count, from.size()));
  from = from.subspan(front.size());
  return front;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const int classes = 1 + data[0] % 12;
  const int rows = data[1] % 9;
  const int columns = data[2] % 9;
  const std::uint8_t flags = data[3];
  constexpr int kViews[] = {1, 4, 8};
  const int views = kViews[data[1] / 9 % 3];
  const int more = data[2] / 9;  // 0 to 28
  const bool two = (more & 2) != 0;
  std::vector<float> values((size - 4) / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), data + 4, values.size() * sizeof(float));
  std::span<const float> rest(values);
  const auto count = static_cast<std::size_t>(classes);
  const std::size_t scores = count * static_cast<std::size_t>(views);
  if (rest.size() < scores + count + 5) return 0;
  DecisionSpec spec;
  spec.scores = flags & 1 ? Scores::kProbabilities : Scores::kLogits;
  const auto logits = take(rest, scores);
  const auto limits = take(rest, count);
  spec.sets.limits.assign(limits.begin(), limits.end());
  spec.temperature = take(rest, 1)[0];
  spec.rejection_threshold = take(rest, 1)[0];
  spec.tiers = {take(rest, 1)[0], take(rest, 1)[0]};
  spec.sets.penalty = take(rest, 1)[0];
  spec.sets.free_ranks = flags >> 4;
  for (std::size_t k = 0; k < count; ++k) spec.concern.push_back(static_cast<Concern>(k % 3));
  const auto explain = flags & 4 ? std::optional(Explain{-1, 1 + rows, 1 + columns}) : std::nullopt;

  std::vector<LesionOutputs> pictures(two ? 2 : 1);
  CombinationSpec combination;
  std::span<const float> second;
  if (two) {
    second = take(rest, count);
    const auto pooling = take(rest, 4);
    if (pooling.size() < 4) return 0;
    if (more & 4) combination = {{pooling[0], pooling[1]}, pooling[2], spec.sets, spec.tiers};
    pictures[1] = {{second, {}, 0, 0, {}}, spec, (more & 8) == 0, explain};
    pictures[1].spec.temperature = pooling[3];
  }
  const auto embedding =
      views > 1 || (more & 16) ? take(rest, static_cast<std::size_t>(rows)) : std::span<const float>();
  pictures[0] = {{logits, rest, rows, columns, embedding, views}, spec, (flags & 2) != 0, explain};
  RejectionModel rejection;
  if (more & 16) {
    // The distance of the embedding's sum from a half.
    const std::size_t length = embedding.size() / static_cast<std::size_t>(views);
    rejection = {length, 1, 1, 0, 1, false, 1, 1, {}};
    rejection.values.resize(length, 0);
    rejection.values.resize(2 * length, 1);
    rejection.values.push_back(0.5f);
    pictures[0].rejection = &rejection;
  }
  const auto interpretation = interpret(pictures, combination);
  if (!interpretation) return 0;
  check(interpretation->decision);
  for (const Decision& decision : interpretation->per_picture) check(decision);
  if (interpretation->per_picture.size() != pictures.size() || interpretation->primary_index >= pictures.size())
    std::abort();
  if (interpretation->combined != (two && pictures[0].usable && pictures[1].usable)) std::abort();
  const bool any =
      std::any_of(pictures.begin(), pictures.end(), [](const LesionOutputs& picture) { return picture.usable; });
  if ((interpretation->decision.outcome == Outcome::kPoorQuality) == any) std::abort();
  return 0;
}
