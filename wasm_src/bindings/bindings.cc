// Embind: converts, checks, forwards. dermlet.d.ts beside this file says the same for TypeScript. Arguments are read
// through Field, which refuses what that file does not allow. Every array handed out is a copy that belongs to
// JavaScript: a view into WASM memory would lose its length when the memory grows.
#include <emscripten/bind.h>
#include <emscripten/heap.h>

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
#include "specs.h"

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
  const auto bytes = Field("bytes", file, error).bytes(kMaxFileBytes + 1);
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
  const std::optional<Rect> wanted = crop_from({"crop", crop, error});
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
  const QualityValues measured = quality_values_from({"values", values, error});
  const QualityLimits wanted = quality_limits_from({"limits", limits, error});
  if (error) return to_js(*error);
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
  const LocateSpec wanted = locate_spec_from({"spec", spec, error});
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
  OwnedPictures owned;
  const std::vector<LesionOutputs> lesion = pictures_from({"pictures", pictures, error}, owned);
  const CombinationSpec combining = combination_from({"combination", combination, error}, lesion.size());
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
