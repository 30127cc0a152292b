// Embind: converts, checks, forwards. dermlet.d.ts beside this file says the same for TypeScript. Arguments are read
// through Field, which refuses what that file does not allow. Every array handed out is a copy that belongs to
// JavaScript: a view into WASM memory would lose its length when the memory grows.
#include <emscripten/bind.h>
#include <emscripten/heap.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "decision/modality.h"
#include "field.h"
#include "formats/inspect.h"
#include "formats/sniff.h"
#include "object.h"
#include "pipeline.h"

namespace dermlet {
namespace {

val to_js(const Rect& r) {
  return Object().set("x", r.x).set("y", r.y).set("width", r.width).set("height", r.height).get();
}

// RGB or RGBA to a clamped RGBA array that JavaScript owns; null for no picture.
Expected<val> to_js(const Image& image) {
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

QualityLimits quality_limits_from(const Field& limits) {
  std::array<std::string_view, kQualityKinds.size()> ids;
  std::transform(kQualityKinds.begin(), kQualityKinds.end(), ids.begin(), [](const auto& kind) { return kind.id; });
  QualityLimits wanted;
  const auto fields = limits.members(ids);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (fields[i]) wanted[i] = fields[i]->real();
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

std::array<float, 3> channel_values(const Field& v) {
  std::array<float, 3> values{};
  const std::vector<float> numbers = v.numbers(values.size());
  std::copy(numbers.begin(), numbers.end(), values.begin());
  return values;
}

TensorSpec tensor_spec_from(const Field& v) {
  constexpr Range kSide = {1, kMaxTensorSide};
  const TensorSpec tensor = {v["width"].integer(kSide),    v["height"].integer(kSide),
                             v["layout"].one_of<Layout>(), v["channels"].one_of<ChannelOrder>(),
                             channel_values(v["mean"]),    channel_values(v["std"])};
  if (std::find(tensor.std.begin(), tensor.std.end(), 0) != tensor.std.end()) v["std"].refuse("numbers other than 0");
  return tensor;
}

PrepareSpec prepare_spec_from(const Field& v) {
  PrepareSpec spec;
  spec.tensor = tensor_spec_from(v);
  spec.fit = v["fit"].one_of<Fit>();
  spec.crop_pct = v["cropPct"].number({0, 1, true});
  spec.filter = v["filter"].one_of<Filter>();
  spec.quality = quality_limits_from(v["quality"]);
  spec.preview_side = v["previewSide"].integer(kNotNegative);
  spec.views = v["views"].integer();
  if (!views_fit(spec.views, spec.tensor.width, spec.tensor.height)) v["views"].refuse("1, 4 or, of a square, 8");
  const Field whole = v["whole"];
  if (!whole.absent()) spec.whole = WholeSpec{tensor_spec_from(whole), whole["filter"].one_of<Filter>()};
  return spec;
}

SetRule sets_from(const Field& v, std::optional<std::size_t> classes = {}) {
  return {v["limits"].numbers(classes), v["penalty"].real(kNotNegative), v["freeRanks"].integer(kNotNegative)};
}

TierCuts tiers_from(const Field& v) { return {v["high"].real(kNotNegative), v["moderate"].real(kNotNegative)}; }

DecisionSpec decision_spec_from(const Field& v) {
  const Field rejection = v["rejectionThreshold"];
  DecisionSpec spec;
  spec.scores = v["scoresAre"].one_of<Scores>();
  spec.temperature = v["temperature"].real(kPositive);
  for (const Field& concern : v["concern"].elements({.least = 1})) spec.concern.push_back(concern.one_of<Concern>());
  spec.sets = sets_from(v["sets"], spec.concern.size());
  spec.tiered = !v["tiers"].absent();
  if (spec.tiered) spec.tiers = tiers_from(v["tiers"]);
  spec.rejection_threshold = rejection.absent() ? std::numeric_limits<float>::infinity() : rejection.real();
  return spec;
}

Rect rect_from(const Field& v) {
  return {v["x"].integer(), v["y"].integer(), v["width"].integer(), v["height"].integer()};
}

val to_js(const ColourDescription& colours) {
  Object object;
  object.text("kind", name_of(colours.kind));
  if (colours.kind == ColourKind::kProfile) object.set("profile", copied(colours.profile.span()));
  if (colours.kind == ColourKind::kPrimaries) {
    std::vector<double> places;
    for (const auto& [x, y] : colours.primaries) places.insert(places.end(), {x, y});
    object.set("primaries", to_array(places)).set("exponent", colours.exponent ? val(*colours.exponent) : val::null());
  }
  return object.get();
}

ColourDescription colours_from(const Field& v) {
  ColourDescription colours{v["kind"].one_of<ColourKind>()};
  if (colours.kind == ColourKind::kProfile) colours.profile = v["profile"].bytes();
  if (colours.kind == ColourKind::kPrimaries) {
    const auto places = v["primaries"].elements({8, 8});
    for (std::size_t i = 0; i < places.size(); ++i) {
      Chromaticity& primary = colours.primaries[i / 2];
      (i % 2 == 0 ? primary.x : primary.y) = places[i].number();
    }
    const Field exponent = v["exponent"];
    if (!exponent.absent()) colours.exponent = exponent.number();
  }
  return colours;
}

Header header_from(const Field& v) {
  constexpr Range kSide = {1, kMaxSide};
  Header header{v["format"].one_of<Format>()};
  header.width = v["width"].integer(kSide);
  header.height = v["height"].integer(kSide);
  header.orientation = v["orientation"].integer({1, 8});
  header.channels = v["channels"].integer({1, 4});
  header.colours = colours_from(v["colours"]);
  return header;
}

// `file` owns what the source looks at.
PictureSource source_from(const Field& v, Buffer<std::uint8_t>& file) {
  if (v.is_record()) {
    const Field pixels = v["pixels"];
    Header header = header_from(v["header"]);
    return ForeignPicture{std::move(header),
                          {pixels["width"].integer(), pixels["height"].integer(), 4, pixels["rgba"].bytes()}};
  }
  if (v.holds_bytes()) {
    file = v.bytes();
  } else {
    v.refuse("a Uint8Array, or a header and pixels");
  }
  return Bytes(file.span());
}

val sniff_js(const val& file) {
  std::optional<Error> error;
  const auto bytes = Field("bytes", file, error).bytes(kSniffedBytes);
  if (error) return to_js(*error);
  const auto format = sniff(bytes.span());
  if (!format) return to_js(format.error());
  return Object().flag("ok", true).text("format", name_of(*format)).flag("foreign", is_foreign(*format)).get();
}

val inspect_js(const val& file) {
  std::optional<Error> error;
  const auto bytes = Field("bytes", file, error).bytes();
  if (error) return to_js(*error);
  const auto header = inspect(bytes.span());
  if (!header) return to_js(header.error());
  std::vector<int> patches;
  for (const BytePatch& patch : header->neutralising)
    patches.insert(patches.end(), {static_cast<int>(patch.at), patch.value});
  return Object()
      .flag("ok", true)
      .text("format", name_of(header->format))
      .set("width", header->width)
      .set("height", header->height)
      .set("orientation", header->orientation)
      .set("channels", header->channels)
      .set("colours", to_js(header->colours))
      .set("neutralising", to_array(patches))
      .get();
}

val prepare_js(const val& picture, const val& spec_value, const val& crop) {
  std::optional<Error> error;
  Buffer<std::uint8_t> file;
  const PictureSource source = source_from({"source", picture, error}, file);
  const PrepareSpec spec = prepare_spec_from({"spec", spec_value, error});
  const Field area("crop", crop, error);
  std::optional<Rect> wanted;
  if (!area.absent()) wanted = rect_from(area);
  if (error) return to_js(*error);
  const auto prepared = prepare(source, spec, wanted);
  if (!prepared) return to_js(prepared.error());
  const auto view = to_js(prepared->view);
  const auto preview = to_js(prepared->preview);
  if (!view || !preview) return to_js(view ? preview.error() : view.error());
  const Source& read = prepared->source;
  const std::vector<float> measured(prepared->quality_values.begin(), prepared->quality_values.end());
  const Object from = Object()
                          .text("format", name_of(read.format))
                          .set("width", read.width)
                          .set("height", read.height)
                          .set("orientation", read.orientation)
                          .text("colour", name_of(read.colour));
  return Object()
      .flag("ok", true)
      .set("tensor", copied(prepared->tensor.span()))
      .set("view", *view)
      .set("preview", *preview)
      .set("whole", prepared->whole.empty() ? val::null() : copied(prepared->whole.span()))
      .set("region", to_js(prepared->region))
      .set("source", from.get())
      .set("quality", to_js(prepared->quality))
      .set("qualityValues", to_array(measured))
      .get();
}

val judge_quality_js(const val& values, const val& limits) {
  std::optional<Error> error;
  QualityValues measured;
  const auto numbers = Field("values", values, error).numbers(measured.size());
  const QualityLimits wanted = quality_limits_from({"limits", limits, error});
  if (error) return to_js(*error);
  std::copy(numbers.begin(), numbers.end(), measured.begin());
  return Object(to_js(judge_quality(measured, wanted))).flag("ok", true).get();
}

val locate_js(const val& output, const val& rows, const val& columns, const val& picture, const val& spec) {
  constexpr Range kSide = {.least = 1};
  std::optional<Error> error;
  const auto values = Field("output", output, error).floats();
  const int grid_rows = Field("rows", rows, error).integer({1, kMaxLocatorGrid});
  const int grid_columns = Field("columns", columns, error).integer({1, kMaxLocatorGrid});
  const Field size("picture", picture, error);
  const int width = size["width"].integer(kSide);
  const int height = size["height"].integer(kSide);
  const Field v("spec", spec, error);
  const LocateSpec wanted = {v["spotScore"].real(kShare),
                             v["rivalScore"].real(kShare),
                             v["rivalRatio"].real(kShare),
                             v["frameScore"].real(kShare),
                             v["frameScale"].number({1, kMaxFrameScale}),
                             v["aloneShare"].number(kShare),
                             v["bothShare"].number(kShare)};
  if (error) return to_js(*error);
  const auto located = locate(values.span(), grid_rows, grid_columns, width, height, wanted);
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
  std::optional<Error> error;
  const auto values = Field("embedding", embedding, error).floats();
  const Field v("probe", probe, error);
  const auto weights = v["weights"].numbers();
  const auto bias = v["bias"].numbers();
  if (error) return to_js(*error);
  const auto found = recognise_modality(values.span(), weights, bias);
  if (!found) return to_js(found.error());
  return Object()
      .flag("ok", true)
      .set("index", static_cast<double>(found->index))
      .set("probability", found->probability)
      .get();
}

// Owns what ModelOutputs looks at.
struct OwnedOutputs {
  Buffer<float> scores;
  Buffer<float> maps;
  Buffer<float> embedding;
};

// Owns what a LesionOutputs looks at.
struct OwnedPicture {
  OwnedOutputs outputs;
  OwnedOutputs frame_outputs;
  std::optional<RejectionModel> rejection;
  Buffer<float> head_weights;
  Buffer<float> head_bias;
};

Buffer<float> floats_or_none(const Field& v) { return v.absent() ? Buffer<float>() : v.floats(); }

ModelOutputs outputs_from(const Field& v, OwnedOutputs& owned) {
  owned = {v["scores"].floats(), floats_or_none(v["maps"]), floats_or_none(v["embedding"])};
  return {owned.scores.span(),
          owned.maps.span(),
          v["mapHeight"].integer(kNotNegative),
          v["mapWidth"].integer(kNotNegative),
          owned.embedding.span(),
          v["views"].integer({.least = 1})};
}

LesionOutputs picture_from(const Field& v, OwnedPicture& owned) {
  const Field frame_outputs = v["frameOutputs"];
  const Field explain = v["explain"];
  const Field rejection_file = v["spec"]["rejectionModel"];
  LesionOutputs picture;
  picture.outputs = outputs_from(v["outputs"], owned.outputs);
  if (!frame_outputs.absent()) picture.frame_outputs = outputs_from(frame_outputs, owned.frame_outputs);
  picture.spec = decision_spec_from(v["spec"]);
  if (!rejection_file.omitted()) {
    const auto bytes = rejection_file.bytes();
    auto model = read_rejection_model(bytes.span());
    if (model) {
      owned.rejection = std::move(*model);
      picture.rejection = &*owned.rejection;
    } else {
      rejection_file.refuse(model.error());
    }
  }
  const Field head = v["spec"]["head"];
  if (!head.omitted()) {
    owned.head_weights = head["weights"].floats();
    owned.head_bias = head["bias"].floats();
    picture.head = OwnHead{owned.head_weights.span(), owned.head_bias.span()};
  }
  picture.usable = v["usable"].boolean();
  picture.framing = v["framing"].one_of<Framing>();
  if (!explain.absent()) {
    constexpr Range kSide = {1, kMaxOverlay};
    picture.explain = Explain{explain["classIndex"].integer({.least = -1}), explain["width"].integer(kSide),
                              explain["height"].integer(kSide)};
  }
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
  std::optional<Error> error;
  std::array<OwnedPicture, kMaxLesionPictures> owned;
  std::vector<LesionOutputs> lesion;
  for (const Field& picture : Field("pictures", pictures, error).elements({1, kMaxLesionPictures}))
    lesion.push_back(picture_from(picture, owned[lesion.size()]));
  const Field v("combination", combination, error);
  CombinationSpec combining;
  if (!v.absent()) {
    combining = {v["weights"].numbers(lesion.size()), v["temperature"].real(kPositive), sets_from(v["sets"]),
                 tiers_from(v["tiers"])};
  }
  if (error) return to_js(*error);
  const auto interpretation = interpret(lesion, combining);
  if (!interpretation) return to_js(interpretation.error());
  val heat_map = val::null();
  if (const auto& map = interpretation->heat_map) {
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
  const val per_picture = val::array();
  for (const Decision& decision : interpretation->per_picture) per_picture.call<void>("push", to_js(decision));
  return Object()
      .flag("ok", true)
      .set("decision", to_js(interpretation->decision))
      .set("heatMap", heat_map)
      .set("perPicture", per_picture)
      .set("embedding", copied(std::span<const float>(interpretation->embedding)))
      .set("primaryIndex", static_cast<double>(interpretation->primary_index))
      .flag("combined", interpretation->combined)
      .get();
}

}  // namespace

EMSCRIPTEN_BINDINGS(dermlet) {
  emscripten::function("sniff", &sniff_js);
  emscripten::function("inspect", &inspect_js);
  emscripten::function("prepare", &prepare_js);
  emscripten::function("interpret", &interpret_js);
  emscripten::function("judgeQuality", &judge_quality_js);
  emscripten::function("locate", &locate_js);
  emscripten::function("recogniseModality", &recognise_modality_js);
  emscripten::function("memoryBytes", +[] { return static_cast<double>(emscripten_get_heap_size()); });
}

}  // namespace dermlet
