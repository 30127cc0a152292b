// Embind: converts, checks, forwards. dermlet.d.ts beside this file says the same for TypeScript. Every array handed out is a copy that belongs to
// JavaScript: a view into WASM memory would lose its length when the memory grows.
#include <emscripten/bind.h>
#include <emscripten/heap.h>

#include <initializer_list>
#include <limits>
#include <string>
#include <utility>

#include "pipeline.h"

namespace dermlet {
namespace {

using emscripten::typed_memory_view;
using emscripten::val;

val object(std::initializer_list<std::pair<const char*, val>> fields) {
  val result = val::object();
  for (const auto& [key, value] : fields) result.set(key, value);
  return result;
}

val to_js(const Error& error) { return object({{"ok", val(false)}, {"code", val(std::string(error_name(error.code)))}, {"message", val(error.message)}}); }

val to_js(const Rect& r) { return object({{"x", val(r.x)}, {"y", val(r.y)}, {"width", val(r.width)}, {"height", val(r.height)}}); }

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
  return object({{"width", val(image.width)}, {"height", val(image.height)}, {"rgba", val::global("Uint8ClampedArray").new_(bytes["buffer"])}});
}

// A typed array's values, copied in; null is empty.
template <typename T>
Result<Buffer<T>> taken(const val& array) {
  if (array.isNull()) return Buffer<T>();
  auto buffer = Buffer<T>::allocate(array["length"].as<std::size_t>());
  if (buffer) val(typed_memory_view(buffer->size(), buffer->data())).template call<void>("set", array);
  return buffer;
}

bool is(const val& object, const char* key, const char* word) { return object[key].as<std::string>() == word; }

PrepareSpec prepare_spec_from(const val& v) {
  PrepareSpec spec;
  spec.tensor = {v["width"].as<int>(), v["height"].as<int>(), is(v, "layout", "NHWC") ? Layout::kNhwc : Layout::kNchw,
                 is(v, "channels", "BGR") ? ChannelOrder::kBgr : ChannelOrder::kRgb};
  for (std::size_t c = 0; c < 3; ++c) {
    spec.tensor.mean[c] = v["mean"][c].as<float>();
    spec.tensor.std[c] = v["std"][c].as<float>();
  }
  spec.fit = is(v, "fit", "stretch") ? Fit::kStretch : Fit::kCover;
  spec.filter = is(v, "filter", "bilinear") ? Filter::kBilinear : is(v, "filter", "lanczos") ? Filter::kLanczos : Filter::kBicubic;
  spec.quality = {v["minSide"].as<int>(), v["minContrast"].as<float>()};
  spec.preview_side = v["previewSide"].as<int>();
  return spec;
}

DecisionSpec decision_spec_from(const val& v) {
  const val rejection = v["rejectionThreshold"];
  DecisionSpec spec;
  spec.scores = is(v, "scoresAre", "probabilities") ? Scores::kProbabilities : Scores::kLogits;
  spec.temperature = v["temperature"].as<float>();
  spec.set_thresholds = emscripten::vecFromJSArray<float>(v["setThresholds"]);
  spec.rejection_threshold = rejection.isNull() ? std::numeric_limits<float>::infinity() : rejection.as<float>();
  for (const std::string& word : emscripten::vecFromJSArray<std::string>(v["concern"])) {
    spec.concern.push_back(word == "high" ? Concern::kHigh : word == "moderate" ? Concern::kModerate : Concern::kLow);
  }
  spec.high_concern_mass = v["highConcernMass"].as<float>();
  return spec;
}

val prepare_js(const val& file, const val& spec, const val& crop) {
  const auto bytes = taken<std::uint8_t>(file);
  if (!bytes) return to_js(bytes.error());
  std::optional<Rect> area;
  if (!crop.isNull()) area = Rect{crop["x"].as<int>(), crop["y"].as<int>(), crop["width"].as<int>(), crop["height"].as<int>()};
  const auto prepared = prepare(bytes->span(), prepare_spec_from(spec), area);
  if (!prepared) return to_js(prepared.error());
  const auto view = to_js(prepared->view);
  const auto preview = to_js(prepared->preview);
  if (!view || !preview) return to_js(view ? preview.error() : view.error());
  const Source& source = prepared->source;
  val checks = val::array();
  for (const QualityCheck& check : prepared->quality.checks) {
    const val one = object({{"id", val(std::string(check.id))}, {"value", val(check.value)}, {"limit", val(check.limit)}, {"passed", val(check.passed)}});
    checks.call<void>("push", one);
  }
  const val from = object({{"format", val(std::string(format_name(source.format)))}, {"width", val(source.width)}, {"height", val(source.height)}, {"orientation", val(source.orientation)},
                           {"colour", val(std::string(colour_source_name(source.colour)))}});
  return object({{"ok", val(true)}, {"tensor", copied(prepared->tensor.span())}, {"view", *view}, {"preview", *preview}, {"region", to_js(prepared->region)},
                 {"source", from}, {"quality", object({{"usable", val(prepared->quality.usable)}, {"checks", checks}})}});
}

val interpret_js(const val& outputs, const val& spec, bool usable, const val& explain) {
  const auto scores = taken<float>(outputs["scores"]);
  const auto maps = taken<float>(outputs["maps"]);
  const auto embedding = taken<float>(outputs["embedding"]);
  if (!scores || !maps || !embedding) return to_js(Error{ErrorCode::kImageTooLarge, "not enough memory for the network's outputs"});
  const ModelOutputs given{scores->span(), maps->span(), outputs["mapHeight"].as<int>(), outputs["mapWidth"].as<int>(), embedding->span()};
  std::optional<Explain> asked;
  if (!explain.isNull()) asked = Explain{explain["classIndex"].as<int>(), explain["width"].as<int>(), explain["height"].as<int>()};
  const auto told = interpret(given, decision_spec_from(spec), usable, asked);
  if (!told) return to_js(told.error());
  val heat_map = val::null();
  if (const auto& map = told->heat_map) {
    const auto overlay = to_js(map->overlay);
    if (!overlay) return to_js(overlay.error());
    heat_map = object({{"classIndex", val(map->class_index)}, {"rows", val(map->rows)}, {"columns", val(map->columns)}, {"values", to_array(map->values)}, {"overlay", *overlay}});
  }
  constexpr std::array kOutcomes = {"single", "several", "not-recognised", "poor-quality"};
  constexpr std::array kTiers = {"low", "moderate", "high", "unknown"};
  const Decision& d = told->decision;
  return object({{"ok", val(true)}, {"probabilities", to_array(d.probabilities)}, {"ranking", to_array(d.ranking)}, {"predictionSet", to_array(d.prediction_set)},
                 {"outcome", val(std::string(kOutcomes[static_cast<std::size_t>(d.outcome)]))}, {"tier", val(std::string(kTiers[static_cast<std::size_t>(d.tier)]))},
                 {"rejection", val(d.rejection)}, {"heatMap", heat_map}});
}

}  // namespace

EMSCRIPTEN_BINDINGS(dermlet) {
  emscripten::function("prepare", &prepare_js);
  emscripten::function("interpret", &interpret_js);
  emscripten::function("memoryBytes", +[] { return static_cast<double>(emscripten_get_heap_size()); });
}

}  // namespace dermlet
