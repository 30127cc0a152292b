#include "pipeline.h"

#include <algorithm>
#include <utility>

#include "formats/decode.h"
#include "geometry/orientation.h"

namespace dermlet {
namespace {

// The largest reduction while decoding that still leaves `oversampling` times the target.
int reduction_for(double width, double height, int target_width, int target_height, int oversampling) {
  int reduction = 8;
  while (reduction > 1 && (width < static_cast<double>(reduction) * oversampling * target_width ||
                           height < static_cast<double>(reduction) * oversampling * target_height))
    reduction /= 2;
  return reduction;
}

// An upright, possibly reduced part of a picture and where a region of the full upright picture lies in it.
struct Upright {
  Image image;
  Box region;
};

// Decodes what is needed to show `region`, in pixels of the full upright picture, and turns it upright. `all` decodes
// the whole picture around it.
Result<Upright> decode_upright(Bytes bytes, const Header& header, const Source& source, const Rect& region, bool all,
                               int reduction, const Converter* converter, const Image* pixels) {
  const Rect stored = stored_rect(region, source.width, source.height, header.orientation);
  DERMLET_TRY(decoded, decode(bytes, header, all ? Rect{0, 0, header.width, header.height} : stored, reduction,
                              converter, pixels));
  const double by = decoded.reduction;
  const double width = decoded.image.width;
  const double height = decoded.image.height;
  const Box inside = {stored.x / by - decoded.x, stored.y / by - decoded.y, stored.width / by, stored.height / by};
  DERMLET_TRY(image, turn_upright(std::move(decoded.image), header.orientation));
  return Upright{std::move(image), upright_box(inside, width, height, header.orientation)};
}

// The whole picture within side x side, never enlarged.
Result<Image> make_preview(const Image& upright, const Source& source, int side) {
  const int longest = std::max(source.width, source.height);
  const int limit = std::min({side, longest, std::max(upright.width, upright.height)});
  const auto scaled = [&](int length) {
    return static_cast<int>(std::max<std::int64_t>(1, (std::int64_t{length} * limit + longest / 2) / longest));
  };
  return resample(upright, {0, 0, static_cast<double>(upright.width), static_cast<double>(upright.height)},
                  scaled(source.width), scaled(source.height), Filter::kBilinear);
}

// What the network says of a picture: the mean over its views, and over the picture and the frame where both were seen.
Result<MeanOutputs> mean_of(const LesionPicture& picture) {
  auto mean = average_views(picture.outputs, picture.explain.has_value());
  if (!mean || !picture.closer) return mean;
  DERMLET_TRY(closer, average_views(*picture.closer, false));
  if (closer.logits.size() != mean->logits.size() || closer.embedding.size() != mean->embedding.size()) {
    return fail(ErrorCode::kInvalidArgument, "the outputs for the picture and for its frame differ in length");
  }
  const auto halve = [](float a, float b) { return static_cast<float>((static_cast<double>(a) + b) / 2); };
  std::transform(mean->logits.begin(), mean->logits.end(), closer.logits.begin(), mean->logits.begin(), halve);
  std::transform(mean->embedding.begin(), mean->embedding.end(), closer.embedding.begin(), mean->embedding.begin(),
                 halve);
  return mean;
}

// The rejection score by the picture's rejection model; none where it has none.
Result<std::optional<float>> rejection_of(const LesionPicture& picture, const MeanOutputs& mean) {
  if (picture.rejection == nullptr) return std::nullopt;
  if (picture.spec.scores != Scores::kLogits)
    return fail(ErrorCode::kInvalidArgument, "a rejection model wants logits");
  DERMLET_TRY(score, rejection_score(*picture.rejection, mean.logits, mean.embedding));
  return score;
}

// The heat map that was asked for, of one picture; none where there are no maps.
Result<std::optional<HeatMap>> explain_shown(const LesionPicture& picture, const MeanOutputs& mean,
                                             const Decision& decision) {
  const auto& explain = picture.explain;
  if (!explain || mean.maps.empty()) return std::nullopt;
  const int class_index = explain->class_index == -1 ? decision.ranking.front() : explain->class_index;
  DERMLET_TRY(map, make_heat_map(mean.maps, static_cast<int>(mean.logits.size()), picture.outputs.map_height,
                                 picture.outputs.map_width, class_index, explain->width, explain->height));
  return map;
}

// Pixels may be fewer than the header states, where the container cuts edges off; never more.
Result<void> check_decoded(const Header& header, const Image& decoded) {
  const bool fits = decoded.width >= 1 && decoded.height >= 1 && decoded.width <= header.width &&
                    decoded.height <= header.height && decoded.channels == 4 &&
                    decoded.pixels.size() == decoded.stride() * static_cast<std::size_t>(decoded.height);
  if (!is_foreign(header.format) || !fits)
    return fail(ErrorCode::kInvalidArgument, "the pixels do not fit the picture");
  return {};
}

Result<Prepared> prepare_any(Bytes bytes, const Image* decoded, const PrepareSpec& spec, std::optional<Rect> crop) {
  const TensorSpec& target = spec.tensor;
  if (target.width < 1 || target.height < 1 || target.width > kMaxTensorSide || target.height > kMaxTensorSide ||
      spec.preview_side < 0) {
    return fail(ErrorCode::kInvalidArgument, "the network's input size makes no sense");
  }
  if (!(spec.crop_pct > 0 && spec.crop_pct <= 1))
    return fail(ErrorCode::kInvalidArgument, "the network's share of the picture makes no sense");
  if (!views_fit(spec.views, target.width, target.height))
    return fail(ErrorCode::kInvalidArgument, "there are 1, 4 or, of a square, 8 views");
  DERMLET_TRY(header, read_header(bytes));
  if (decoded != nullptr) {
    DERMLET_CHECK(check_decoded(header, *decoded));
    header.width = decoded->width;
    header.height = decoded->height;
  }
  DERMLET_TRY(tables, Converter::allocate());
  const ColourSource colour = read_colour(bytes, header, tables);
  const Converter* converter = colour == ColourSource::kConverted ? &tables : nullptr;
  Prepared prepared;
  const bool swapped = swaps_sides(header.orientation);
  prepared.source = {header.format, swapped ? header.height : header.width, swapped ? header.width : header.height,
                     header.orientation, colour};
  const Rect whole = {0, 0, prepared.source.width, prepared.source.height};
  const Rect area = crop.value_or(whole);
  if (!lies_inside(area, whole.width, whole.height))
    return fail(ErrorCode::kInvalidArgument, "the crop lies outside the picture");
  prepared.region = fitted_region(area, target.width, target.height, spec.fit, crop ? 1 : spec.crop_pct);

  // A preview of a cropped picture is decoded by itself: the crop may need full detail, the whole picture hardly ever
  // does.
  const bool preview = spec.preview_side > 0;
  const int reduction = reduction_for(prepared.region.width, prepared.region.height, target.width, target.height, 2);
  DERMLET_TRY(upright, decode_upright(bytes, header, prepared.source, prepared.region, preview && !crop, reduction,
                                      converter, decoded));
  DERMLET_TRY(view, resample(upright.image, upright.region, target.width, target.height, spec.filter));
  prepared.view = std::move(view);
  DERMLET_TRY(tensor, to_tensor(prepared.view, target, spec.views));
  prepared.tensor = std::move(tensor);
  if (preview && crop) {
    const int longest = std::max(whole.width, whole.height);
    DERMLET_TRY(around, decode_upright(bytes, header, prepared.source, whole, true,
                                       reduction_for(longest, longest, spec.preview_side, spec.preview_side, 1),
                                       converter, decoded));
    upright.image = std::move(around.image);
  }
  if (preview) {
    DERMLET_TRY(shown, make_preview(upright.image, prepared.source, spec.preview_side));
    prepared.preview = std::move(shown);
  }
  DERMLET_TRY(values, measure_quality(prepared.view, prepared.region));
  prepared.quality_values = values;
  prepared.quality = judge_quality(values, spec.quality);
  return prepared;
}

}  // namespace

Result<Prepared> prepare(std::span<const std::uint8_t> bytes, const PrepareSpec& spec, std::optional<Rect> crop) {
  return prepare_any(bytes, nullptr, spec, crop);
}

Result<Prepared> prepare(std::span<const std::uint8_t> bytes, const Image& decoded, const PrepareSpec& spec,
                         std::optional<Rect> crop) {
  return prepare_any(bytes, &decoded, spec, crop);
}

Result<Interpretation> interpret(const ModelOutputs& outputs, const DecisionSpec& spec, bool usable,
                                 std::optional<Explain> explain) {
  const LesionPicture picture{outputs, spec, usable, explain};
  DERMLET_TRY(told, interpret(std::span(&picture, 1), {}));
  return std::move(told.lesion);
}

Result<LesionInterpretation> interpret(std::span<const LesionPicture> pictures, const CombinationSpec& combination) {
  if (pictures.empty() || pictures.size() > kMaxLesionPictures)
    return fail(ErrorCode::kInvalidArgument, "a lesion has one or two pictures");
  LesionInterpretation result;
  std::vector<MeanOutputs> means;
  std::vector<std::size_t> usable;
  for (const LesionPicture& picture : pictures) {
    DERMLET_TRY(mean, mean_of(picture));
    DERMLET_TRY(rejection, rejection_of(picture, mean));
    DERMLET_TRY(decision, decide(mean.logits, picture.spec, picture.usable, rejection));
    if (decision.probabilities.size() != pictures.front().spec.concern.size())
      return fail(ErrorCode::kInvalidArgument, "the pictures differ in their number of classes");
    if (picture.usable && answerable(picture.framing)) usable.push_back(means.size());
    if (picture.framing == Framing::kNone) withhold(decision, Outcome::kNoSpot);
    if (picture.framing == Framing::kSeveral) withhold(decision, Outcome::kSeveralSpots);
    means.push_back(std::move(mean));
    result.alone.push_back(std::move(decision));
  }
  result.shown = usable.empty() ? 0 : usable.front();
  result.combined = usable.size() > 1;
  result.lesion.decision = result.alone[result.shown];
  if (result.combined) {
    std::vector<Opinion> opinions;
    opinions.reserve(usable.size());
    for (const std::size_t i : usable) opinions.push_back({means[i].logits, &pictures[i].spec, &result.alone[i]});
    DERMLET_TRY(joint, combine(opinions, combination));
    result.lesion.decision = std::move(joint);
  }
  DERMLET_TRY(map, explain_shown(pictures[result.shown], means[result.shown], result.lesion.decision));
  result.lesion.heat_map = std::move(map);
  return result;
}

}  // namespace dermlet
