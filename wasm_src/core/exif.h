// EXIF: the orientation, turning pixels upright by it, and the colour space.
//
// Orientation (TIFF 6.0 / EXIF 2.3 tag 0x0112) says where row 0 and column 0 of the stored picture lie: 1 upright, 2
// mirrored left-right, 3 turned by 180 degrees, 4 mirrored top-bottom, 5 transposed, 6 to be turned by 90 degrees
// clockwise, 7 transversed, 8 to be turned by 270 degrees clockwise. Same answers as Pillow's ImageOps.exif_transpose.
#pragma once

#include "bytes.h"
#include "image.h"

namespace dermlet {

// Reads the orientation from a TIFF block (what follows "Exif\0\0" in JPEG, the content of eXIf in PNG). 1 when it is
// missing or makes no sense: wrong metadata never costs the picture.
[[nodiscard]] int read_orientation(Bytes tiff);

// Whether a TIFF block says that the picture's colours are Adobe RGB (1998): interoperability index R03, with which
// DCF 2.0 cameras mark their optional colour space without attaching a profile, or 2 as the colour space, which some
// write although EXIF has no such value.
[[nodiscard]] bool states_adobe_rgb(Bytes tiff);

// Whether width and height change places.
[[nodiscard]] constexpr bool swaps_sides(int orientation) { return orientation >= 5 && orientation <= 8; }

// Where a part of a stored picture of width x height lies once it is upright.
[[nodiscard]] Box upright_box(const Box& stored, double width, double height, int orientation);

// The other way round: the part of the stored picture that shows `upright`, a part of the upright picture of width x
// height.
[[nodiscard]] Rect stored_rect(const Rect& upright, int width, int height, int orientation);

// Turns a stored picture upright. `orientation` outside 2..8 gives the picture back as it is. Errors: kImageTooLarge.
[[nodiscard]] Result<Image> turn_upright(Image stored, int orientation);

}  // namespace dermlet
