#include "pipeline.h"

#include <algorithm>
#include <utility>

#include "colour/colour.h"
#include "formats/decode.h"
#include "formats/inspect.h"
#include "geometry/orientation.h"

namespace dermlet {
namespace {

// Times its target that a picture has at least once it is reduced.
struct Oversampling {
  double by_8 = 1;
  double by_less = 1;
};

// For a network. Reduced by 8, where nothing but the means of blocks is computed, a little less than twice is enough:
// a photo of 12 megapixels, 3000 pixels high, is then read so, for the locator too. At 5/3 the view is 0.57 levels of
// 255 on average from that of the full picture, at twice 0.45 (lesion photos, libjpeg-turbo and Pillow).
constexpr Oversampling kForNetwork = {5.0 / 3, 2};

// The largest reduction while decoding that leaves enough.
int reduction_for(double width, double height, int target_width, int target_height, const Oversampling& least) {
  for (const int reduction : {8, 4, 2}) {
    const double times = reduction * (reduction == 8 ? least.by_8 : least.by_less);
    if (width >= times * target_width && height >= times * target_height) return reduction;
  }
  return 1;
}

// A picture as stored: what its file says of it, and where its pixels come from.
struct Stored {
  Header own{};  // of a file that is decoded here
  Bytes bytes{};
  const ForeignPicture* elsewhere = nullptr;

  [[nodiscard]] const Header& header() const { return elsewhere != nullptr ? elsewhere->header : own; }
  // A container may cut off edges of its picture: the pixels count.
  [[nodiscard]] int width() const { return elsewhere != nullptr ? elsewhere->pixels.width : own.width; }
  [[nodiscard]] int height() const { return elsewhere != nullptr ? elsewhere->pixels.height : own.height; }
  [[nodiscard]] Expected<Reduced> decoded(const Rect& part, int reduction, const Converter* converter) const {
    return elsewhere != nullptr ? take_pixels(elsewhere->pixels, part, converter)
                                : decode(bytes, own, part, reduction, converter);
  }
};

// Pixels may be fewer than the header states; never more.
Expected<void> check_pixels(const ForeignPicture& picture) {
  const auto& [header, pixels] = picture;
  const bool fits = pixels.width >= 1 && pixels.height >= 1 && pixels.width <= header.width &&
                    pixels.height <= header.height && pixels.channels == 4 &&
                    pixels.pixels.size() == pixels.stride() * static_cast<std::size_t>(pixels.height);
  if (!is_foreign(header.format) || !fits)
    return fail(ErrorCode::kInvalidArgument, "the pixels do not fit the picture");
  return check_size(static_cast<std::uint64_t>(pixels.width), static_cast<std::uint64_t>(pixels.height));
}

Expected<Stored> open(const PictureSource& source) {
  if (const auto* elsewhere = std::get_if<ForeignPicture>(&source)) {
    DERMLET_CHECK(check_pixels(*elsewhere));
    return Stored{{}, {}, elsewhere};
  }
  const Bytes bytes = *std::get_if<Bytes>(&source);
  DERMLET_TRY(header, inspect(bytes));
  DERMLET_CHECK(check_checksums(bytes, header));
  return Stored{std::move(header), bytes};
}

Source source_of(const Stored& picture, ColourSource colour) {
  const Header& header = picture.header();
  const bool swapped = swaps_sides(header.orientation);
  return {header.format, swapped ? picture.height() : picture.width(), swapped ? picture.width() : picture.height(),
          header.orientation, colour};
}

// An upright, possibly reduced part of a picture.
struct Upright {
  Image image;
  double reduction = 1;
  double left = 0;  // of the part, in its own reduced pixels as stored, before it was turned
  double top = 0;
  double width = 0;
  double height = 0;

  // Where a region of the full upright picture lies in `image`.
  [[nodiscard]] Box box_of(const Rect& region, const Source& source) const {
    const Rect stored = stored_rect(region, source.width, source.height, source.orientation);
    const Box inside = {stored.x / reduction - left, stored.y / reduction - top, stored.width / reduction,
                        stored.height / reduction};
    return upright_box(inside, width, height, source.orientation);
  }
};

// Decodes what is needed to show `region`, in pixels of the full upright picture, and turns it upright. `all` decodes
// the whole picture around it.
Expected<Upright> decode_upright(const Stored& picture, const Source& source, const Rect& region, bool all,
                                 int reduction, const Converter* converter) {
  const Rect part = all ? Rect{0, 0, picture.width(), picture.height()}
                        : stored_rect(region, source.width, source.height, source.orientation);
  DERMLET_TRY(decoded, picture.decoded(part, reduction, converter));
  Upright upright = {{},
                     static_cast<double>(decoded.reduction),
                     static_cast<double>(decoded.x),
                     static_cast<double>(decoded.y),
                     static_cast<double>(decoded.image.width),
                     static_cast<double>(decoded.image.height)};
  DERMLET_TRY(image, turn_upright(std::move(decoded.image), source.orientation));
  upright.image = std::move(image);
  return upright;
}

// The whole picture within side x side, never enlarged.
Expected<Image> make_preview(const Image& upright, const Source& source, int side) {
  const int longest = std::max(source.width, source.height);
  const int limit = std::min({side, longest, std::max(upright.width, upright.height)});
  const auto scaled = [&](int length) {
    return static_cast<int>(std::max<std::int64_t>(1, (std::int64_t{length} * limit + longest / 2) / longest));
  };
  return resample(upright, {0, 0, static_cast<double>(upright.width), static_cast<double>(upright.height)},
                  scaled(source.width), scaled(source.height), Filter::kBilinear);
}

// The mean over the views, each of which must be what `kind` says: a mean of wrong ones may look right.
Expected<MeanOutputs> checked_mean(const ModelOutputs& outputs, bool with_maps, Scores kind) {
  auto mean = average_views(outputs, with_maps);
  if (!mean) return mean;
  for (std::size_t at = 0; at < outputs.logits.size(); at += mean->logits.size())
    DERMLET_CHECK(check_scores(outputs.logits.subspan(at, mean->logits.size()), kind));
  return mean;
}

// What the network says of a picture: the mean over its views, and over the picture and the frame where both were seen.
Expected<MeanOutputs> mean_of(const LesionOutputs& picture) {
  const Scores kind = picture.spec.scores;
  auto mean = checked_mean(picture.outputs, picture.explain.has_value(), kind);
  if (!mean || !picture.frame_outputs) return mean;
  DERMLET_TRY(frame_outputs, checked_mean(*picture.frame_outputs, false, kind));
  if (frame_outputs.logits.size() != mean->logits.size() || frame_outputs.embedding.size() != mean->embedding.size()) {
    return fail(ErrorCode::kInvalidArgument, "the outputs for the picture and for its frame differ in length");
  }
  const auto halve = [](float a, float b) { return static_cast<float>((static_cast<double>(a) + b) / 2); };
  std::transform(mean->logits.begin(), mean->logits.end(), frame_outputs.logits.begin(), mean->logits.begin(), halve);
  std::transform(mean->embedding.begin(), mean->embedding.end(), frame_outputs.embedding.begin(),
                 mean->embedding.begin(), halve);
  return mean;
}

// The rejection score by the picture's rejection model, which wants logits; none where it has none.
Expected<std::optional<float>> rejection_of(const LesionOutputs& picture, const MeanOutputs& mean) {
  if (picture.rejection == nullptr) return std::nullopt;
  DERMLET_TRY(score, rejection_score(*picture.rejection, mean.logits, mean.embedding));
  return score;
}

// Scores, spec and rejection score of a picture that somebody's own head judges: rejection stays the network's.
Expected<void> apply_head(const OwnHead& head, MeanOutputs& mean, DecisionSpec& spec, std::optional<float>& rejection) {
  if (!rejection) rejection = spec.scores == Scores::kLogits ? static_cast<float>(energy_of(mean.logits)) : 0.0f;
  DERMLET_TRY(logits, logits_of(head, mean.embedding));
  mean.logits = std::move(logits);
  mean.maps.clear();
  spec.scores = Scores::kLogits;
  return {};
}

bool size_fits(const TensorSpec& tensor) {
  return tensor.width >= 1 && tensor.height >= 1 && tensor.width <= kMaxTensorSide && tensor.height <= kMaxTensorSide;
}

// The requested heat map of the primary picture; none where there are no maps.
Expected<std::optional<HeatMap>> explain_primary(const LesionOutputs& picture, const MeanOutputs& mean,
                                                 const Decision& decision) {
  const auto& explain = picture.explain;
  if (!explain || mean.maps.empty()) return std::nullopt;
  const int class_index = explain->class_index == -1 ? decision.ranking.front() : explain->class_index;
  DERMLET_TRY(map, make_heat_map(mean.maps, static_cast<int>(mean.logits.size()), picture.outputs.map_height,
                                 picture.outputs.map_width, class_index, explain->width, explain->height));
  return map;
}

}  // namespace

Expected<Prepared> prepare(const PictureSource& source, const PrepareSpec& spec, std::optional<Rect> crop) {
  const TensorSpec& target = spec.tensor;
  if (!size_fits(target) || (spec.whole && !size_fits(spec.whole->tensor)) || spec.preview_side < 0)
    return fail(ErrorCode::kInvalidArgument, "the network's input size makes no sense");
  if (!(spec.crop_pct > 0 && spec.crop_pct <= 1))
    return fail(ErrorCode::kInvalidArgument, "the network's share of the picture makes no sense");
  if (!views_fit(spec.views, target.width, target.height))
    return fail(ErrorCode::kInvalidArgument, "there are 1, 4 or, of a square, 8 views");
  DERMLET_TRY(picture, open(source));
  const Header& header = picture.header();
  DERMLET_TRY(tables, Converter::allocate());
  Prepared prepared;
  prepared.source = source_of(picture, set_converter(header.colours, header.channels, tables));
  const Converter* converter = prepared.source.colour == ColourSource::kConverted ? &tables : nullptr;
  const Rect whole = {0, 0, prepared.source.width, prepared.source.height};
  const Rect area = crop.value_or(whole);
  if (!lies_inside(area, whole.width, whole.height))
    return fail(ErrorCode::kInvalidArgument, "the crop lies outside the picture");
  prepared.region = fitted_region(area, target.width, target.height, spec.fit, crop ? 1 : spec.crop_pct);

  // A preview of a cropped picture is decoded by itself: the crop may need full detail, the whole picture hardly ever
  // does.
  const bool preview = spec.preview_side > 0;
  const int reduction =
      reduction_for(prepared.region.width, prepared.region.height, target.width, target.height, kForNetwork);
  const int whole_reduction = spec.whole ? reduction_for(whole.width, whole.height, spec.whole->tensor.width,
                                                         spec.whole->tensor.height, kForNetwork)
                                         : 0;
  const bool one_decoding = !crop && (whole_reduction == reduction || header.format != Format::kJpeg);
  const bool all = !crop && (preview || (spec.whole && one_decoding));
  DERMLET_TRY(upright, decode_upright(picture, prepared.source, prepared.region, all, reduction, converter));
  DERMLET_TRY(view, resample(upright.image, upright.box_of(prepared.region, prepared.source), target.width,
                             target.height, spec.filter));
  prepared.view = std::move(view);
  DERMLET_TRY(tensor, to_tensor(prepared.view, target, spec.views));
  prepared.tensor = std::move(tensor);
  if (spec.whole) {
    // Decoded anew only where the two are reduced differently: pixels must not depend on what else is prepared.
    Upright separate;
    if (!one_decoding) {
      DERMLET_TRY(decoded, decode_upright(picture, prepared.source, whole, true, whole_reduction, converter));
      separate = std::move(decoded);
    }
    const Upright& from = one_decoding ? upright : separate;
    const TensorSpec& small = spec.whole->tensor;
    DERMLET_TRY(squashed, resample(from.image, from.box_of(whole, prepared.source), small.width, small.height,
                                   spec.whole->filter));
    DERMLET_TRY(whole_tensor, to_tensor(squashed, small, 1));
    prepared.whole = std::move(whole_tensor);
  }
  if (preview && crop) {
    const int longest = std::max(whole.width, whole.height);
    DERMLET_TRY(around,
                decode_upright(picture, prepared.source, whole, true,
                               reduction_for(longest, longest, spec.preview_side, spec.preview_side, {}), converter));
    upright.image = std::move(around.image);
  }
  if (preview) {
    DERMLET_TRY(whole_picture, make_preview(upright.image, prepared.source, spec.preview_side));
    prepared.preview = std::move(whole_picture);
  }
  DERMLET_TRY(values, measure_quality(prepared.view, prepared.region));
  prepared.quality_values = values;
  prepared.quality = judge_quality(values, spec.quality);
  return prepared;
}

Expected<WholePicture> read_whole(const PictureSource& source) {
  DERMLET_TRY(picture, open(source));
  const Header& header = picture.header();
  DERMLET_TRY(tables, Converter::allocate());
  const Source read = source_of(picture, set_converter(header.colours, header.channels, tables));
  const Converter* converter = read.colour == ColourSource::kConverted ? &tables : nullptr;
  DERMLET_TRY(upright, decode_upright(picture, read, {0, 0, read.width, read.height}, true, 1, converter));
  return WholePicture{std::move(upright.image), read};
}

Expected<Interpretation> interpret(std::span<const LesionOutputs> pictures, const CombinationSpec& combination) {
  if (pictures.empty() || pictures.size() > kMaxLesionPictures)
    return fail(ErrorCode::kInvalidArgument, "a lesion has one or two pictures");
  Interpretation result;
  std::vector<MeanOutputs> means;
  std::vector<DecisionSpec> specs;
  specs.reserve(pictures.size());
  std::vector<std::size_t> usable;
  for (const LesionOutputs& picture : pictures) {
    if (picture.rejection != nullptr && picture.spec.scores != Scores::kLogits)
      return fail(ErrorCode::kInvalidArgument, "a rejection model wants logits");
    DERMLET_TRY(mean, mean_of(picture));
    DERMLET_TRY(rejection, rejection_of(picture, mean));
    DecisionSpec& spec = specs.emplace_back(picture.spec);
    if (picture.head) DERMLET_CHECK(apply_head(*picture.head, mean, spec, rejection));
    DERMLET_TRY(decision, decide(mean.logits, spec, picture.usable, rejection));
    if (decision.probabilities.size() != pictures.front().spec.concern.size())
      return fail(ErrorCode::kInvalidArgument, "the pictures differ in their number of classes");
    if (picture.usable && answerable(picture.framing)) usable.push_back(means.size());
    if (picture.framing == Framing::kNone) withhold(decision, Outcome::kNoSpot);
    if (picture.framing == Framing::kSeveral) withhold(decision, Outcome::kSeveralSpots);
    means.push_back(std::move(mean));
    result.per_picture.push_back(std::move(decision));
  }
  result.primary_index = usable.empty() ? 0 : usable.front();
  result.combined = usable.size() > 1;
  result.decision = result.per_picture[result.primary_index];
  if (result.combined) {
    std::vector<Opinion> opinions;
    opinions.reserve(usable.size());
    for (const std::size_t i : usable) opinions.push_back({means[i].logits, &specs[i], &result.per_picture[i]});
    DERMLET_TRY(joint, combine(opinions, combination));
    result.decision = std::move(joint);
  }
  DERMLET_TRY(map, explain_primary(pictures[result.primary_index], means[result.primary_index], result.decision));
  result.heat_map = std::move(map);
  result.embedding = std::move(means[result.primary_index].embedding);
  return result;
}

}  // namespace dermlet
