// Conversion to sRGB from what a file says of its colours.
//
// Where each format says it:
//   JPEG  ICC profile in APP2 segments (ICC.1:2022 annex B.4), in any order; an incomplete or contradictory set counts
//         as a profile that cannot be used. A profile of inks is one for pictures of four channels, and no other is.
//         Without one, Adobe RGB where EXIF states it, which some cameras do instead of attaching a profile
//   PNG   (third edition) cICP whose codes are read (codes.h), then iCCP, then sRGB, then gAMA and cHRM; a cICP that
//         is not read, such as that of high dynamic range, is reported where there is no iCCP. gAMA of about 1/2.2
//         without other primaries than sRGB's is what encoders write beside or in place of sRGB, and is taken as that,
//         as browsers do. Colour chunks after the picture's data do not count
//   BMP   version 5: sRGB where it states so, or the profile in the file; one in another file is reported
//   WebP  ICCP
//   AVIF, HEIC  the primary picture's colr: a profile, else codes as in cICP
// A file that says nothing is taken as sRGB, as browsers and the network's training do. A profile never makes a picture
// unreadable: one that cannot be used is reported and the pixels are not converted.
//
// Pixels are converted before they are resampled, as profiles describe stored pixels and as Pillow users do
// (profileToProfile, then resize).
#pragma once

#include "colour/description.h"
#include "colour/icc.h"
#include "contract.h"

namespace dermlet {

// Sets the converter if the answer is kConverted. `channels` as in Header.
[[nodiscard]] ColourSource set_converter(const ColourDescription& colours, int channels, Converter& converter);

}  // namespace dermlet
