// The whole way from bytes to tensor; the last bytes choose options.
#include <cmath>
#include <cstdlib>

#include "decode.h"
#include "pipeline.h"

using namespace dermlet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return 0;
  const std::uint8_t* options = data + size - 8;
  const Bytes bytes(data, size);
  PrepareSpec spec;
  spec.tensor = {1 + options[0] % 64, 1 + options[1] % 64, options[2] & 1 ? Layout::kNhwc : Layout::kNchw, options[2] & 2 ? ChannelOrder::kBgr : ChannelOrder::kRgb, {127, 127, 127}, {128, 128, 128}};
  if (options[2] & 16) spec.tensor.height = spec.tensor.width;  // eight views are of a square
  spec.fit = options[2] & 4 ? Fit::kStretch : Fit::kCover;
  if (options[2] & 32) spec.crop_pct = (1 + options[4] % 16) / 16.0;
  spec.filter = static_cast<Filter>(options[3] % 3);
  spec.preview_side = options[4];
  constexpr int kViews[] = {1, 4, 8, 3};
  spec.views = kViews[options[3] / 3 % 4];
  std::optional<Rect> crop;
  if (options[2] & 8) crop = Rect{options[5], options[6], 1 + options[7], 1 + options[4]};
  const auto header = read_header(bytes);
  if (header && static_cast<std::int64_t>(header->width) * header->height > 300'000) return 0;
  const auto prepared = prepare(bytes, spec, crop);
  if (!prepared) return 0;
  if (!views_fit(spec.views, spec.tensor.width, spec.tensor.height)) std::abort();
  const auto views = static_cast<std::size_t>(spec.views);
  if (prepared->tensor.size() != views * static_cast<std::size_t>(spec.tensor.width) * static_cast<std::size_t>(spec.tensor.height) * 3) std::abort();
  for (const float v : prepared->tensor.span()) {
    if (!(v >= -1 && v <= 1)) std::abort();
  }
  if (!lies_inside(prepared->region, prepared->source.width, prepared->source.height)) std::abort();
  return 0;
}
