// Embind: converts, checks, forwards. dermlet.d.ts beside this file says the same for TypeScript. Every array handed
// out is a copy that belongs to JavaScript: a view into WASM memory would lose its length when the memory grows.
#include <emscripten/bind.h>
#include <emscripten/heap.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "decode.h"
#include "modality.h"
#include "pipeline.h"

namespace dermlet {
namespace {

using emscripten::typed_memory_view;
using emscripten::val;

// Reading and writing fields goes through these few functions and not through temporary vals at every place: a tenth of
// the whole module's size.
template <typename T>
[[gnu::noinline]] T at(const val& object, const char* key) {
  return object[key].as<T>();
}

[[gnu::noinline]] bool is(const val& object, const char* key, const char* word) {
  return at<std::string>(object, key) == word;
}

class Object {
 public:
  Object() : Object(val::object()) {}
  explicit Object(const val& object) : object_(object) {}
  [[gnu::noinline]] Object& set(const char* key, const val& value) {
    object_.set(key, value);
    return *this;
  }
  [[gnu::noinline]] Object& set(const char* key, double value) { return set(key, val(value)); }
  [[gnu::noinline]] Object& flag(const char* key, bool value) { return set(key, val(value)); }
  [[gnu::noinline]] Object& text(const char* key, std::string_view value) { return set(key, val(std::string(value))); }
  [[nodiscard]] const val& get() const { return object_; }

 private:
  val object_;
};

val to_js(const Error& error) {
  return Object().flag("ok", false).text("code", name_of(error.code)).text("message", error.message).get();
}

val to_js(const Rect& r) {
  return Object().set("x", r.x).set("y", r.y).set("width", r.width).set("height", r.height).get();
}

template <typename T>
val copied(std::span<const T> values) {
  return val(typed_memory_view(values.size(), values.data())).template call<val>("slice");
}

template <typename T>
val to_array(const std::vector<T>& values) {
  return val::global("Array").call<val>("from", typed_memory_view(values.size(), values.data()));
}

// RGB or RGBA to a clamped RGBA array that JavaScript owns; null for no picture.
Result<val> to_js(const Image& image) {
  if (image.empty()) return val::null();
  const std::size_t count = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  auto rgba = Buffer<std::uint8_t>::allocate(count, 4);
  if (!rgba) return tl::unexpected(rgba.error());
  const std::uint8_t* from = image.pixels.data();
  std::uint8_t* to = rgba->data();
  for (std::size_t i = 0; i < count; ++i, from += image.channels, to += 4) {
    for (int c = 0; c < 4; ++c) to[c] = c < image.channels ? from[c] : std::uint8_t{255};
  }
  const val bytes = copied(std::as_const(*rgba).span());
  return Object()
      .set("width", image.width)
      .set("height", image.height)
      .set("rgba", val::global("Uint8ClampedArray").new_(bytes["buffer"]))
      .get();
}

// A typed array's values, copied in; null is empty.
template <typename T>
Result<Buffer<T>> taken(const val& array) {
  if (array.isNull()) return Buffer<T>();
  auto buffer = Buffer<T>::allocate(array["length"].as<std::size_t>());
  if (buffer) val(typed_memory_view(buffer->size(), buffer->data())).template call<void>("set", array);
  return buffer;
}

std::vector<float> floats_at(const val& object, const char* key) {
  return emscripten::vecFromJSArray<float>(object[key]);
}

QualityLimits quality_limits_from(const val& limits) {
  QualityLimits wanted;
  for (std::size_t i = 0; i < kQualityKinds.size(); ++i) {
    if (const val limit = limits[kQualityKinds[i].id.data()]; !limit.isUndefined()) wanted[i] = limit.as<float>();
  }
  return wanted;
}

val to_js(const Quality& quality) {
  const val checks = val::array();
  for (const QualityCheck& check : quality.checks) {
    checks.call<void>("push", Object()
                                  .text("id", check.id)
                                  .set("value", check.value)
                                  .set("limit", check.limit)
                                  .flag("passed", check.passed)
                                  .get());
  }
  return Object().flag("usable", quality.usable).set("checks", checks).get();
}

PrepareSpec prepare_spec_from(const val& v) {
  PrepareSpec spec;
  spec.tensor = {at<int>(v, "width"), at<int>(v, "height"), is(v, "layout", "NHWC") ? Layout::kNhwc : Layout::kNchw,
                 is(v, "channels", "BGR") ? ChannelOrder::kBgr : ChannelOrder::kRgb};
  const std::vector<float> mean = floats_at(v, "mean");
  const std::vector<float> std = floats_at(v, "std");
  std::copy_n(mean.begin(), std::min<std::size_t>(3, mean.size()), spec.tensor.mean.begin());
  std::copy_n(std.begin(), std::min<std::size_t>(3, std.size()), spec.tensor.std.begin());
  spec.fit = is(v, "fit", "stretch") ? Fit::kStretch : Fit::kCover;
  spec.crop_pct = at<double>(v, "cropPct");
  spec.filter = is(v, "filter", "bilinear")  ? Filter::kBilinear
                : is(v, "filter", "lanczos") ? Filter::kLanczos
                                             : Filter::kBicubic;
  spec.quality = quality_limits_from(v["quality"]);
  spec.preview_side = at<int>(v, "previewSide");
  spec.views = at<int>(v, "views");
  return spec;
}

SetRule sets_at(const val& object) {
  const val sets = object["sets"];
  return {floats_at(sets, "limits"), at<float>(sets, "penalty"), at<int>(sets, "freeRanks")};
}

TierCuts tiers_at(const val& object) {
  const val tiers = object["tiers"];
  return {at<float>(tiers, "high"), at<float>(tiers, "moderate")};
}

DecisionSpec decision_spec_from(const val& v) {
  const val rejection = v["rejectionThreshold"];
  DecisionSpec spec;
  spec.scores = is(v, "scoresAre", "probabilities") ? Scores::kProbabilities : Scores::kLogits;
  spec.temperature = at<float>(v, "temperature");
  spec.sets = sets_at(v);
  spec.tiers = tiers_at(v);
  spec.rejection_threshold = rejection.isNull() ? std::numeric_limits<float>::infinity() : rejection.as<float>();
  for (const std::string& word : emscripten::vecFromJSArray<std::string>(v["concern"])) {
    spec.concern.push_back(word == "high" ? Concern::kHigh : word == "moderate" ? Concern::kModerate : Concern::kLow);
  }
  return spec;
}

// What is wrong with a file; of one that is only to be decoded elsewhere, how.
val refused(const Error& error, Bytes file) {
  const val failure = to_js(error);
  if (error.code != ErrorCode::kUnsupportedFormat) return failure;
  const auto header = read_header(file);
  if (!header) return failure;
  std::vector<int> plain;
  for (const BytePatch& patch : header->plain) {
    plain.push_back(static_cast<int>(patch.at));
    plain.push_back(patch.value);
  }
  return Object(failure).text("format", name_of(header->format)).set("plain", to_array(plain)).get();
}

val prepare_js(const val& file, const val& spec, const val& crop, const val& pixels) {
  const auto bytes = taken<std::uint8_t>(file);
  if (!bytes) return to_js(bytes.error());
  Image decoded;
  if (!pixels.isNull()) {
    auto rgba = taken<std::uint8_t>(pixels["rgba"]);
    if (!rgba) return to_js(rgba.error());
    decoded = {at<int>(pixels, "width"), at<int>(pixels, "height"), 4, std::move(*rgba)};
  }
  std::optional<Rect> area;
  if (!crop.isNull())
    area = Rect{at<int>(crop, "x"), at<int>(crop, "y"), at<int>(crop, "width"), at<int>(crop, "height")};
  const PrepareSpec wanted = prepare_spec_from(spec);
  const auto prepared =
      pixels.isNull() ? prepare(bytes->span(), wanted, area) : prepare(bytes->span(), decoded, wanted, area);
  if (!prepared) return refused(prepared.error(), bytes->span());
  const auto view = to_js(prepared->view);
  const auto preview = to_js(prepared->preview);
  if (!view || !preview) return to_js(view ? preview.error() : view.error());
  const Source& source = prepared->source;
  const std::vector<float> measured(prepared->quality_values.begin(), prepared->quality_values.end());
  const Object from = Object()
                          .text("format", name_of(source.format))
                          .set("width", source.width)
                          .set("height", source.height)
                          .set("orientation", source.orientation)
                          .text("colour", name_of(source.colour));
  return Object()
      .flag("ok", true)
      .set("tensor", copied(prepared->tensor.span()))
      .set("view", *view)
      .set("preview", *preview)
      .set("region", to_js(prepared->region))
      .set("source", from.get())
      .set("quality", to_js(prepared->quality))
      .set("qualityValues", to_array(measured))
      .get();
}

val judge_quality_js(const val& values, const val& limits) {
  const std::vector<float> measured = emscripten::vecFromJSArray<float>(values);
  QualityValues given;
  if (measured.size() != given.size())
    return to_js(Error{ErrorCode::kInvalidArgument, "these are no values of the quality checks"});
  std::copy(measured.begin(), measured.end(), given.begin());
  return Object(to_js(judge_quality(given, quality_limits_from(limits)))).flag("ok", true).get();
}

val locate_js(const val& output, int rows, int columns, const val& picture, const val& v) {
  const auto values = taken<float>(output);
  if (!values) return to_js(values.error());
  const LocateSpec spec = {at<float>(v, "spotScore"),  at<float>(v, "rivalScore"),  at<float>(v, "rivalRatio"),
                           at<float>(v, "frameScore"), at<double>(v, "frameScale"), at<double>(v, "aloneShare"),
                           at<double>(v, "bothShare")};
  const auto located =
      locate(values->span(), rows, columns, at<int>(picture, "width"), at<int>(picture, "height"), spec);
  if (!located) return to_js(located.error());
  const val spots = val::array();
  for (const Spot& spot : located->spots) {
    spots.call<void>("push", Object()
                                 .set("x", spot.x)
                                 .set("y", spot.y)
                                 .set("width", spot.width)
                                 .set("height", spot.height)
                                 .set("score", spot.score)
                                 .set("frame", to_js(spot.frame))
                                 .get());
  }
  return Object()
      .flag("ok", true)
      .text("framing", name_of(located->framing))
      .set("frame", to_js(located->frame))
      .set("spots", spots)
      .get();
}

val recognise_modality_js(const val& embedding, const val& probe) {
  const auto values = taken<float>(embedding);
  if (!values) return to_js(values.error());
  const auto found = recognise_modality(values->span(), floats_at(probe, "weights"), floats_at(probe, "bias"));
  if (!found) return to_js(found.error());
  return Object()
      .flag("ok", true)
      .set("index", static_cast<double>(found->index))
      .set("probability", found->probability)
      .get();
}

// The network's outputs, copied in.
struct TakenOutputs {
  Buffer<float> scores;
  Buffer<float> maps;
  Buffer<float> embedding;
};

// Owns what a LesionPicture looks at.
struct Taken {
  TakenOutputs outputs;
  TakenOutputs closer;
  std::optional<RejectionModel> rejection;
};

Result<ModelOutputs> outputs_from(const val& outputs, TakenOutputs& kept) {
  auto scores = taken<float>(outputs["scores"]);
  auto maps = taken<float>(outputs["maps"]);
  auto embedding = taken<float>(outputs["embedding"]);
  if (!scores || !maps || !embedding)
    return fail(ErrorCode::kImageTooLarge, "not enough memory for the network's outputs");
  kept = {std::move(*scores), std::move(*maps), std::move(*embedding)};
  return ModelOutputs{kept.scores.span(),           kept.maps.span(),      at<int>(outputs, "mapHeight"),
                      at<int>(outputs, "mapWidth"), kept.embedding.span(), at<int>(outputs, "views")};
}

Result<LesionPicture> picture_from(const val& v, Taken& kept) {
  const val explain = v["explain"];
  LesionPicture picture;
  const auto outputs = outputs_from(v["outputs"], kept.outputs);
  if (!outputs) return tl::unexpected(outputs.error());
  picture.outputs = *outputs;
  if (const val seen = v["closer"]; !seen.isNull()) {
    const auto closer = outputs_from(seen, kept.closer);
    if (!closer) return tl::unexpected(closer.error());
    picture.closer = *closer;
  }
  picture.spec = decision_spec_from(v["spec"]);
  if (const val file = v["spec"]["rejectionModel"]; !file.isNull() && !file.isUndefined()) {
    const auto bytes = taken<std::uint8_t>(file);
    if (!bytes) return tl::unexpected(bytes.error());
    auto model = read_rejection_model(bytes->span());
    if (!model) return tl::unexpected(model.error());
    kept.rejection = std::move(*model);
    picture.rejection = &*kept.rejection;
  }
  picture.usable = at<bool>(v, "usable");
  const auto framing = named<Framing>(at<std::string>(v, "framing"));
  if (!framing) return fail(ErrorCode::kInvalidArgument, "framing is " + std::string(Names<Framing>::kList));
  picture.framing = *framing;
  if (!explain.isNull())
    picture.explain = Explain{at<int>(explain, "classIndex"), at<int>(explain, "width"), at<int>(explain, "height")};
  return picture;
}

val to_js(const Decision& d) {
  const bool refuses = d.rejection_threshold != std::numeric_limits<float>::infinity();
  return Object()
      .set("probabilities", to_array(d.probabilities))
      .set("ranking", to_array(d.ranking))
      .set("predictionSet", to_array(d.prediction_set))
      .text("outcome", name_of(d.outcome))
      .text("tier", name_of(d.tier))
      .set("rejection", d.rejection)
      .set("rejectionThreshold", refuses ? val(d.rejection_threshold) : val::null())
      .get();
}

val interpret_js(const val& pictures, const val& combination) {
  std::array<Taken, kMaxLesionPictures> kept;
  std::array<LesionPicture, kMaxLesionPictures> given;
  const auto count = at<std::size_t>(pictures, "length");
  if (count > kMaxLesionPictures) return to_js(Error{ErrorCode::kInvalidArgument, "a lesion has one or two pictures"});
  for (std::size_t i = 0; i < count; ++i) {
    auto picture = picture_from(pictures[i], kept[i]);
    if (!picture) return to_js(picture.error());
    given[i] = std::move(*picture);
  }
  CombinationSpec joining;
  if (!combination.isNull()) {
    joining = {floats_at(combination, "weights"), at<float>(combination, "temperature"), sets_at(combination),
               tiers_at(combination)};
  }
  const auto told = interpret(std::span(given).first(count), joining);
  if (!told) return to_js(told.error());
  val heat_map = val::null();
  if (const auto& map = told->lesion.heat_map) {
    const auto overlay = to_js(map->overlay);
    if (!overlay) return to_js(overlay.error());
    heat_map = Object()
                   .set("classIndex", map->class_index)
                   .set("rows", map->rows)
                   .set("columns", map->columns)
                   .set("values", to_array(map->values))
                   .set("overlay", *overlay)
                   .get();
  }
  const val alone = val::array();
  for (const Decision& decision : told->alone) alone.call<void>("push", to_js(decision));
  return Object()
      .flag("ok", true)
      .set("decision", to_js(told->lesion.decision))
      .set("heatMap", heat_map)
      .set("alone", alone)
      .set("shown", static_cast<double>(told->shown))
      .flag("combined", told->combined)
      .get();
}

}  // namespace

EMSCRIPTEN_BINDINGS(dermlet) {
  emscripten::function(
      "prepare",
      +[](const val& file, const val& spec, const val& crop) { return prepare_js(file, spec, crop, val::null()); });
  emscripten::function("prepareDecoded", &prepare_js);
  emscripten::function("interpret", &interpret_js);
  emscripten::function("judgeQuality", &judge_quality_js);
  emscripten::function("locate", &locate_js);
  emscripten::function("recogniseModality", &recognise_modality_js);
  emscripten::function("memoryBytes", +[] { return static_cast<double>(emscripten_get_heap_size()); });
}

}  // namespace dermlet
