#include "pipeline.h"

#include <algorithm>

#include "decode.h"
#include "exif.h"

namespace dermlet {
namespace {

constexpr int kMaxTensorSide = 4096;

// The largest reduction while decoding that still leaves `oversampling` times the target.
int reduction_for(double width, double height, int target_width, int target_height, int oversampling) {
  int reduction = 8;
  while (reduction > 1 && (width < static_cast<double>(reduction) * oversampling * target_width || height < static_cast<double>(reduction) * oversampling * target_height)) reduction /= 2;
  return reduction;
}

// An upright, possibly reduced part of a picture and where a region of the full upright picture lies in it.
struct Upright {
  Image image;
  Box region;
};

// Decodes what is needed to show `region`, in pixels of the full upright picture, and turns it upright. `all` decodes the whole picture around it.
Result<Upright> decode_upright(Bytes bytes, const Header& header, const Source& source, const Rect& region, bool all, int reduction, const Converter* converter) {
  const Rect stored = stored_rect(region, source.width, source.height, header.orientation);
  auto decoded = decode(bytes, header, all ? Rect{0, 0, header.width, header.height} : stored, reduction, converter);
  if (!decoded) return tl::unexpected(decoded.error());
  const double by = decoded->reduction;
  const double width = decoded->image.width;
  const double height = decoded->image.height;
  const Box inside = {stored.x / by - decoded->x, stored.y / by - decoded->y, stored.width / by, stored.height / by};
  auto image = turn_upright(std::move(decoded->image), header.orientation);
  if (!image) return tl::unexpected(image.error());
  return Upright{std::move(*image), upright_box(inside, width, height, header.orientation)};
}

// The whole picture within side x side, never enlarged.
Result<Image> make_preview(const Image& upright, const Source& source, int side) {
  const int longest = std::max(source.width, source.height);
  const int limit = std::min({side, longest, std::max(upright.width, upright.height)});
  const auto scaled = [&](int length) { return static_cast<int>(std::max<std::int64_t>(1, (std::int64_t{length} * limit + longest / 2) / longest)); };
  return resample(upright, {0, 0, static_cast<double>(upright.width), static_cast<double>(upright.height)}, scaled(source.width), scaled(source.height), Filter::kBilinear);
}

}  // namespace

Result<Prepared> prepare(std::span<const std::uint8_t> bytes, const PrepareSpec& spec, std::optional<Rect> crop) {
  const TensorSpec& target = spec.tensor;
  if (target.width < 1 || target.height < 1 || target.width > kMaxTensorSide || target.height > kMaxTensorSide || spec.preview_side < 0) {
    return fail(ErrorCode::kInvalidArgument, "the network's input size makes no sense");
  }
  const auto header = read_header(bytes);
  if (!header) return tl::unexpected(header.error());
  auto tables = Converter::allocate();
  if (!tables) return tl::unexpected(tables.error());
  const ColourSource colour = read_colour(bytes, *header, *tables);
  const Converter* converter = colour == ColourSource::kConverted ? &*tables : nullptr;
  Prepared prepared;
  const bool swapped = swaps_sides(header->orientation);
  prepared.source = {header->format, swapped ? header->height : header->width, swapped ? header->width : header->height, header->orientation, colour};
  const Rect whole = {0, 0, prepared.source.width, prepared.source.height};
  const Rect area = crop.value_or(whole);
  if (!lies_inside(area, whole.width, whole.height)) return fail(ErrorCode::kInvalidArgument, "the crop lies outside the picture");
  prepared.region = fitted_region(area, target.width, target.height, spec.fit);

  // A preview of a cropped picture is decoded by itself: the crop may need full detail, the whole picture hardly ever does.
  const bool preview = spec.preview_side > 0;
  const int reduction = reduction_for(prepared.region.width, prepared.region.height, target.width, target.height, 2);
  auto upright = decode_upright(bytes, *header, prepared.source, prepared.region, preview && !crop, reduction, converter);
  if (!upright) return tl::unexpected(upright.error());
  auto view = resample(upright->image, upright->region, target.width, target.height, spec.filter);
  if (!view) return tl::unexpected(view.error());
  prepared.view = std::move(*view);
  auto tensor = to_tensor(prepared.view, target);
  if (!tensor) return tl::unexpected(tensor.error());
  prepared.tensor = std::move(*tensor);
  if (preview && crop) {
    const int longest = std::max(whole.width, whole.height);
    auto around = decode_upright(bytes, *header, prepared.source, whole, true, reduction_for(longest, longest, spec.preview_side, spec.preview_side, 1), converter);
    if (!around) return tl::unexpected(around.error());
    upright->image = std::move(around->image);
  }
  if (preview) {
    auto shown = make_preview(upright->image, prepared.source, spec.preview_side);
    if (!shown) return tl::unexpected(shown.error());
    prepared.preview = std::move(*shown);
  }
  prepared.quality = assess(prepared.view, prepared.region, spec.quality);
  return prepared;
}

Result<Interpretation> interpret(const ModelOutputs& outputs, const DecisionSpec& spec, bool usable, std::optional<Explain> explain) {
  auto decision = decide(outputs.logits, spec, usable);
  if (!decision) return tl::unexpected(decision.error());
  Interpretation result{std::move(*decision), {}};
  if (!explain || outputs.maps.empty()) return result;
  const int class_index = explain->class_index == -1 ? result.decision.ranking.front() : explain->class_index;
  auto map = make_heat_map(outputs.maps, static_cast<int>(outputs.logits.size()), outputs.map_height, outputs.map_width, class_index, explain->width, explain->height);
  if (!map) return tl::unexpected(map.error());
  result.heat_map = std::move(*map);
  return result;
}

}  // namespace dermlet
