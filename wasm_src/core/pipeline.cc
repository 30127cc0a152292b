#include "pipeline.h"

#include <algorithm>

#include "decode.h"
#include "exif.h"

namespace dermlet {
namespace {

constexpr int kMaxTensorSide = 4096;

// The whole picture within side x side, never enlarged.
Result<Image> make_preview(const Image& upright, int side) {
  const int longest = std::max(upright.width, upright.height);
  const auto scaled = [&](int length) {
    if (longest <= side) return length;
    return static_cast<int>(std::max<std::int64_t>(1, (std::int64_t{length} * side + longest / 2) / longest));
  };
  return resample(upright, {0, 0, upright.width, upright.height}, scaled(upright.width), scaled(upright.height), Filter::kBilinear);
}

}  // namespace

Result<Prepared> prepare(std::span<const std::uint8_t> bytes, const PrepareSpec& spec, std::optional<Rect> crop) {
  const TensorSpec& target = spec.tensor;
  if (target.width < 1 || target.height < 1 || target.width > kMaxTensorSide || target.height > kMaxTensorSide || spec.preview_side < 0) {
    return fail(ErrorCode::kInvalidArgument, "the network's input size makes no sense");
  }
  const auto header = read_header(bytes);
  if (!header) return tl::unexpected(header.error());
  Prepared prepared;
  const bool swapped = swaps_sides(header->orientation);
  prepared.source = {header->format, swapped ? header->height : header->width, swapped ? header->width : header->height, header->orientation};
  const Rect area = crop.value_or(Rect{0, 0, prepared.source.width, prepared.source.height});
  if (!lies_inside(area, prepared.source.width, prepared.source.height)) return fail(ErrorCode::kInvalidArgument, "the crop lies outside the picture");
  prepared.region = fitted_region(area, target.width, target.height, spec.fit);

  auto upright = decode(bytes, *header).and_then([&](Image stored) { return turn_upright(std::move(stored), header->orientation); });
  if (!upright) return tl::unexpected(upright.error());
  auto view = resample(*upright, prepared.region, target.width, target.height, spec.filter);
  if (!view) return tl::unexpected(view.error());
  prepared.view = std::move(*view);
  auto tensor = to_tensor(prepared.view, target);
  if (!tensor) return tl::unexpected(tensor.error());
  prepared.tensor = std::move(*tensor);
  if (spec.preview_side > 0) {
    auto preview = make_preview(*upright, spec.preview_side);
    if (!preview) return tl::unexpected(preview.error());
    prepared.preview = std::move(*preview);
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
