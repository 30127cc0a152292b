// Decoded JPEG components -> rows of RGB or inks: chroma upsampling and colour conversion, to the bit as libjpeg-turbo
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
//   inks    kCmyk and kYcck as their four inks, 0 for none of it, in place of RGB
//   smooth  libjpeg's "fancy" triangle filter for chroma at half size; else samples are repeated
// Errors: kImageTooLarge (no memory).
[[nodiscard]] Expected<Image> to_image(std::span<const Plane* const> planes, Colour colour, bool inks, int width,
                                       int height, bool smooth);

}  // namespace dermlet::jpeg
