// Antialiased separable resampling of 8-bit RGB, bit-exact with Pillow's Image.resize (libImaging/Resample.c, 8 bits
// per channel).
//
// As there: coefficients in double, normalised, rounded to 22 fractional bits; horizontal pass first, its result
// rounded to 8 bits, then vertical. Pillow 13 and later begin with the vertical pass where the height is reduced much
// more than the width: such pictures, which kStretch alone makes, differ by a level or two. A pass that changes nothing
// is left out. Resampling a whole-pixel region equals Image.crop(region).resize(size): the filter reads no pixel that
// the region does not touch.
#pragma once

#include "contract.h"
#include "expected.h"
#include "geometry/rect.h"
#include "image.h"

namespace dermlet {

// The part of `area` that is shown at width x height. For kCover the longer side is cut, half a pixel more on the far
// side when it cannot be halved. Of what is left the middle is shown: `crop_pct`, over 0 and at most 1, of each side,
// rounded to whole pixels.
[[nodiscard]] Rect fitted_region(const Rect& area, int width, int height, Fit fit, double crop_pct = 1);

//   source  RGB8
//   region  inside the source; may begin and end within a pixel
// Errors: kInvalidArgument (region or size), kImageTooLarge.
[[nodiscard]] Expected<Image> resample(const Image& source, const Box& region, int width, int height, Filter filter);

}  // namespace dermlet
