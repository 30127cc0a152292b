#include "specs.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace dermlet {
namespace {

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

}  // namespace

PictureSource source_from(const Field& v, Buffer<std::uint8_t>& file) {
  if (v.is_record()) {
    const Field pixels = v["pixels"];
    Header header = header_from(v["header"]);
    return ForeignPicture{std::move(header),
                          {pixels["width"].integer(), pixels["height"].integer(), 4, pixels["rgba"].bytes()}};
  }
  if (v.holds_bytes()) {
    file = v.bytes(kMaxFileBytes + 1);
  } else {
    v.refuse(std::string(Field::what_bytes_are()) + ", or a header and pixels");
  }
  return Bytes(file.span());
}

QualityLimits quality_limits_from(const Field& v) {
  std::array<std::string_view, kQualityKinds.size()> ids;
  std::transform(kQualityKinds.begin(), kQualityKinds.end(), ids.begin(), [](const auto& kind) { return kind.id; });
  QualityLimits wanted;
  const auto fields = v.members(ids);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (fields[i]) wanted[i] = fields[i]->real();
  }
  return wanted;
}

QualityValues quality_values_from(const Field& v) {
  QualityValues values{};
  const auto numbers = v.numbers(values.size());
  std::copy(numbers.begin(), numbers.end(), values.begin());
  return values;
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

std::optional<Rect> crop_from(const Field& v) {
  if (v.absent()) return {};
  return Rect{v["x"].integer(), v["y"].integer(), v["width"].integer(), v["height"].integer()};
}

LocateSpec locate_spec_from(const Field& v) {
  return {v["spotScore"].real(kShare),
          v["rivalScore"].real(kShare),
          v["rivalRatio"].real(kShare),
          v["frameScore"].real(kShare),
          v["frameScale"].number({1, kMaxFrameScale}),
          v["aloneShare"].number(kShare),
          v["bothShare"].number(kShare)};
}

std::vector<LesionOutputs> pictures_from(const Field& v, OwnedPictures& owned) {
  std::vector<LesionOutputs> lesion;
  for (const Field& picture : v.elements({1, kMaxLesionPictures}))
    lesion.push_back(picture_from(picture, owned[lesion.size()]));
  return lesion;
}

CombinationSpec combination_from(const Field& v, std::size_t pictures) {
  if (v.absent()) return {};
  return {v["weights"].numbers(pictures), v["temperature"].real(kPositive), sets_from(v["sets"]),
          tiers_from(v["tiers"])};
}

}  // namespace dermlet
