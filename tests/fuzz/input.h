// What several fuzz targets make of their input.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "formats/header.h"
#include "formats/inspect.h"
#include "formats/png/png.h"
#include "pipeline.h"

namespace dermlet {

inline constexpr std::size_t kOptionBytes = 8;

// How a picture is prepared, chosen by the input's last bytes. The last bit of all says whether checksums are made
// right.
struct Request {
  PrepareSpec spec;
  std::optional<Rect> crop;
};

inline Request request_from(Bytes input) {
  const Bytes options = input.last(kOptionBytes);
  Request request;
  PrepareSpec& spec = request.spec;
  spec.tensor = {1 + options[0] % 64,
                 1 + options[1] % 64,
                 options[2] & 1 ? Layout::kNhwc : Layout::kNchw,
                 options[2] & 2 ? ChannelOrder::kBgr : ChannelOrder::kRgb,
                 {127, 127, 127},
                 {128, 128, 128}};
  if (options[2] & 16) spec.tensor.height = spec.tensor.width;  // eight views are of a square
  spec.fit = options[2] & 4 ? Fit::kStretch : Fit::kCover;
  if (options[2] & 32) spec.crop_pct = (1 + options[4] % 16) / 16.0;
  spec.filter = static_cast<Filter>(options[3] % 3);
  spec.preview_side = options[4];
  constexpr int kViews[] = {1, 4, 8, 3};
  spec.views = kViews[options[3] / 3 % 4];
  if (options[2] & 8) request.crop = Rect{options[5], options[6], 1 + options[7], 1 + options[4]};
  if (options[2] & 64) {
    TensorSpec whole = spec.tensor;
    std::swap(whole.width, whole.height);
    spec.whole = WholeSpec{whole, spec.filter};
  }
  return request;
}

// Prepares as request. Pixels of a foreign format come from elsewhere: here a pattern of the size that the header
// states, or less, as where a container cuts edges off, or more, which must be refused.
inline Expected<Prepared> prepare_requested(Bytes file, const Request& request) {
  auto header = inspect(file);
  if (!header || !is_foreign(header->format)) return prepare(file, request.spec, request.crop);
  const int more = request.spec.preview_side % 4 - 2;
  auto pixels = Image::allocate(std::max(1, header->width + more), std::max(1, header->height + std::min(more, 0)), 4);
  if (!pixels) return tl::unexpected(pixels.error());
  std::uint8_t value = 0;
  for (std::uint8_t& sample : pixels->pixels.span()) sample = value = static_cast<std::uint8_t>(value * 5 + 17);
  return prepare(ForeignPicture{std::move(*header), std::move(*pixels)}, request.spec, request.crop);
}

// The input with each PNG chunk's checksum made right, so that what lies behind the checksums is reached; one input in
// two, by its last bit. Others are left as they are.
inline std::vector<std::uint8_t> with_checksums(Bytes input) {
  std::vector<std::uint8_t> file(input.begin(), input.end());
  if (!starts_with(input, "\x89PNG\r\n\x1A\n") || (input.back() & 1) != 0) return file;
  for (std::size_t at = 8; at + 12 <= file.size();) {
    const std::size_t length = *read_u32(file, at, ByteOrder::kBig);
    if (length > file.size() - at - 12) break;
    const std::uint32_t crc = png_crc32(Bytes(file).subspan(at + 4, length + 4));
    for (std::size_t i = 0; i < 4; ++i) file[at + 8 + length + i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
    at += length + 12;
  }
  return file;
}

}  // namespace dermlet
