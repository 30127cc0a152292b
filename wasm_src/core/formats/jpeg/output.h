// Decoded JPEG components -> RGB rows: chroma upsampling and colour conversion, to the bit as libjpeg-turbo
// (jdsample.c, jdcolor.c) and Pillow (CMYK).
#pragma once

#include <cstdint>
#include <span>

#include "expected.h"
#include "image.h"

namespace dermlet::jpeg {

enum class Colour : std::uint8_t { kGrey, kYcc, kRgb, kCmyk, kYcck };

// Samples of one component over the part that was decoded.
struct Plane {
  Buffer<std::uint8_t> samples;
  std::size_t stride = 0;
  int width = 0;  // samples of the picture within the plane; what lies beyond pads its last block
  int height = 0;
  int ratio_x = 1;  // output pixels a sample
  int ratio_y = 1;
};

//   planes  1 for kGrey, 3, or 4
//   smooth  libjpeg's "fancy" triangle filter for chroma at half size; else samples are repeated
// Errors: kImageTooLarge (no memory).
[[nodiscard]] Expected<Image> to_rgb_image(std::span<const Plane* const> planes, Colour colour, int width, int height,
                                           bool smooth);

}  // namespace dermlet::jpeg
