// Embind of what learns and looks up, a module of its own: it is fetched when somebody first asks for it, and no photo
// waits for it. learn.d.ts beside this file says the same for TypeScript; bindings.cc says how.
#include <emscripten/bind.h>
#include <emscripten/heap.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "field.h"
#include "learn/atlas.h"
#include "learn/head.h"
#include "object.h"

namespace dermlet {
namespace {

// The training under way: there is one at a time.
std::optional<HeadTrainer> training;

// Whole numbers from 0.
std::vector<std::uint32_t> indices(const Field& v) {
  const std::vector<float> numbers = v.numbers();
  const bool whole = std::all_of(numbers.begin(), numbers.end(), [](float number) {
    return number >= 0 && number < 1 << 24 && number == std::floor(number);
  });
  if (!whole) v.refuse("whole numbers from 0");
  return whole ? std::vector<std::uint32_t>(numbers.begin(), numbers.end()) : std::vector<std::uint32_t>();
}

val start_training_js(const val& examples, const val& spec) {
  training.reset();
  std::optional<Error> error;
  const Field v("examples", examples, error);
  const auto embeddings = v["embeddings"].floats();
  const auto labels = indices(v["labels"]);
  const auto groups = indices(v["groups"]);
  const auto rejections = v["rejections"].numbers();
  const auto classes = static_cast<std::size_t>(v["classes"].integer(kNotNegative));
  const Field s("spec", spec, error);
  const HeadSpec wanted = {s["inversePenalty"].number(kPositive), s["balanced"].boolean(), s["iterations"].integer(),
                           s["folds"].integer(), s["setMass"].number(kShare)};
  if (error) return to_js(*error);
  auto started = HeadTrainer::start({embeddings.span(), labels, groups, classes, rejections}, wanted);
  if (!started) return to_js(started.error());
  training = std::move(*started);
  return Object().flag("ok", true).get();
}

val advance_training_js(const val& iterations) {
  std::optional<Error> error;
  const int count = Field("iterations", iterations, error).integer(kNotNegative);
  if (!error && !training) error = Error{ErrorCode::kInvalidArgument, "no training is under way"};
  if (error) return to_js(*error);
  training->advance(count);
  return Object().flag("ok", true).flag("done", training->done()).set("progress", training->progress()).get();
}

val end_training_js() {
  const std::optional<HeadTrainer> ended = std::exchange(training, std::nullopt);
  if (!ended || !ended->done()) return to_js(Error{ErrorCode::kInvalidArgument, "no training is done"});
  const Head head = ended->head();
  const HeldOut held = ended->held_out();
  const Object held_out = Object()
                              .set("folds", held.folds)
                              .flag("leaveOneOut", held.leave_one_out)
                              .set("correct", static_cast<double>(held.correct))
                              .set("accuracy", held.accuracy)
                              .set("least", held.least)
                              .set("most", held.most)
                              .set("balancedAccuracy", held.balanced_accuracy)
                              .set("confusion", to_array(held.confusion))
                              .set("setCoverage", held.set_coverage)
                              .set("setSize", held.set_size);
  return Object()
      .flag("ok", true)
      .set("weights", copied(std::span<const float>(head.weights)))
      .set("bias", copied(std::span<const float>(head.bias)))
      .set("iterations", head.iterations)
      .flag("converged", head.converged)
      .set("rejectionLimit", head.rejection_limit ? val(*head.rejection_limit) : val::null())
      .set("heldOut", held_out.get())
      .get();
}

// The atlas that is open: there is one in an instance.
struct OpenAtlas {
  Buffer<std::uint8_t> vectors;
  std::size_t filled = 0;
  Buffer<float> scales;
};
std::optional<OpenAtlas> open_atlas;

val quantise_js(const val& embedding) {
  std::optional<Error> error;
  const auto values = Field("embedding", embedding, error).floats();
  if (error) return to_js(*error);
  const auto vector = quantise(values.span());
  if (!vector) return to_js(vector.error());
  return Object()
      .flag("ok", true)
      .set("values", copied(std::span<const std::int8_t>(vector->values)))
      .set("scale", vector->scale)
      .get();
}

val open_atlas_js(const val& bytes, const val& scales) {
  open_atlas.reset();
  std::optional<Error> error;
  const auto size = static_cast<std::size_t>(Field("bytes", bytes, error).integer(kNotNegative));
  auto kept = Field("scales", scales, error).floats();
  if (error) return to_js(*error);
  auto vectors = Buffer<std::uint8_t>::allocate(size);
  if (!vectors) return to_js(vectors.error());
  open_atlas = OpenAtlas{std::move(*vectors), 0, std::move(kept)};
  return Object().flag("ok", true).get();
}

// Bytes are the same in either type.
val fill_atlas_js(const val& vectors) {
  std::optional<Error> error;
  const auto next = Field("vectors", vectors, error).bytes();
  if (!error && (!open_atlas || next.size() > open_atlas->vectors.size() - open_atlas->filled))
    error = Error{ErrorCode::kInvalidArgument, "no atlas is open that has room for these vectors"};
  if (error) return to_js(*error);
  std::copy(next.span().begin(), next.span().end(), open_atlas->vectors.data() + open_atlas->filled);
  open_atlas->filled += next.size();
  return Object().flag("ok", true).get();
}

val nearest_js(const val& embedding, const val& count) {
  std::optional<Error> error;
  const auto values = Field("embedding", embedding, error).floats();
  const auto wanted = static_cast<std::size_t>(Field("count", count, error).integer(kNotNegative));
  if (!error && !(open_atlas && open_atlas->filled == open_atlas->vectors.size()))
    error = Error{ErrorCode::kInvalidArgument, "no atlas is open, or not all of its vectors came"};
  if (error) return to_js(*error);
  const auto* vectors = reinterpret_cast<const std::int8_t*>(open_atlas->vectors.data());
  const auto found = nearest({{vectors, open_atlas->vectors.size()}, open_atlas->scales.span()}, values.span(), wanted);
  if (!found) return to_js(found.error());
  std::vector<std::uint32_t> indices;
  std::vector<float> similarities;
  for (const Neighbour& each : *found) {
    indices.push_back(each.index);
    similarities.push_back(each.similarity);
  }
  return Object().flag("ok", true).set("indices", to_array(indices)).set("similarities", to_array(similarities)).get();
}

val recall_js(const val& embeddings, const val& width, const val& count, const val& queries) {
  std::optional<Error> error;
  const auto values = Field("embeddings", embeddings, error).floats();
  const auto size = [&](const char* name, const val& value) {
    return static_cast<std::size_t>(Field(name, value, error).integer(kNotNegative));
  };
  const std::size_t row = size("width", width);
  const std::size_t neighbours = size("count", count);
  const std::size_t asked = size("queries", queries);
  if (error) return to_js(*error);
  const auto found = recall(values.span(), row, neighbours, asked);
  if (!found) return to_js(found.error());
  return Object().flag("ok", true).set("recall", *found).get();
}

}  // namespace

EMSCRIPTEN_BINDINGS(dermlet_learn) {
  emscripten::function("startTraining", &start_training_js);
  emscripten::function("advanceTraining", &advance_training_js);
  emscripten::function("endTraining", &end_training_js);
  emscripten::function("quantise", &quantise_js);
  emscripten::function("openAtlas", &open_atlas_js);
  emscripten::function("fillAtlas", &fill_atlas_js);
  emscripten::function("nearest", &nearest_js);
  emscripten::function("recall", &recall_js);
  emscripten::function("memoryBytes", +[] { return static_cast<double>(emscripten_get_heap_size()); });
}

}  // namespace dermlet
