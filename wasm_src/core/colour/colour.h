// Conversion to sRGB from what a file says of its colours.
//
// Where each format says it:
//   JPEG  ICC profile in APP2 segments (ICC.1:2022 annex B.4), in any order; an incomplete or contradictory set counts
//         as a profile that cannot be used. Without one, Adobe RGB where EXIF states it, which some cameras do instead
//         of attaching a profile
//   PNG   (third edition) cICP when it says sRGB, then iCCP, then any other cICP, then sRGB, then gAMA and cHRM. gAMA
//         of about 1/2.2 without other primaries than sRGB's is what encoders write beside or in place of sRGB, and is
//         taken as that, as browsers do. Colour chunks after the picture's data do not count
//   BMP   version 5: sRGB where it states so; profiles are reported
//   WebP  ICCP
//   AVIF, HEIC  the primary picture's colr: a profile, else H.273 primaries (sRGB's and Display P3's are read, with
//         sRGB's curve)
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
