// Turning stored pixels upright by their EXIF orientation.
//
// Orientation (TIFF 6.0 / EXIF 2.3 tag 0x0112) says where row 0 and column 0 of the stored picture lie: 1 upright, 2
// mirrored left-right, 3 turned by 180 degrees, 4 mirrored top-bottom, 5 transposed, 6 to be turned by 90 degrees
// clockwise, 7 transversed, 8 to be turned by 270 degrees clockwise. Same answers as Pillow's ImageOps.exif_transpose.
#pragma once

#include "expected.h"
#include "geometry/rect.h"
#include "image.h"

namespace dermlet {

// Whether width and height change places.
[[nodiscard]] constexpr bool swaps_sides(int orientation) { return orientation >= 5 && orientation <= 8; }

// Where a part of a stored picture of width x height lies once it is upright.
[[nodiscard]] Box upright_box(const Box& b, double width, double height, int orientation);

// The other way round: the part of the stored picture that shows `upright`, a part of the upright picture of width x
// height.
[[nodiscard]] Rect stored_rect(const Rect& upright, int width, int height, int orientation);

// Turns a stored picture upright. `orientation` outside 2..8 gives the picture back as it is. Errors: kImageTooLarge.
[[nodiscard]] Expected<Image> turn_upright(Image stored, int orientation);

}  // namespace dermlet
