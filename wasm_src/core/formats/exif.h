// EXIF (a TIFF block): the orientation and the colour space.
#pragma once

#include "bytes.h"

namespace dermlet {

// Reads the orientation (geometry/orientation.h) from a TIFF block (what follows "Exif\0\0" in JPEG, the content of
// eXIf in PNG). 1 when it is missing or makes no sense: wrong metadata never costs the picture.
[[nodiscard]] int read_orientation(Bytes tiff);

// Whether a TIFF block says that the picture's colours are Adobe RGB (1998): interoperability index R03, with which
// DCF 2.0 cameras mark their optional colour space without attaching a profile, or 2 as the colour space, which some
// write although EXIF has no such value.
[[nodiscard]] bool states_adobe_rgb(Bytes tiff);

}  // namespace dermlet
