// How to get from what a file says of its colours to sRGB.
//
// Who says what:
//   JPEG  ICC profile in APP2 segments (ICC.1:2022 annex B.4), in any order; an incomplete or contradictory set counts
//         as a profile that cannot be used. Without one, EXIF's word that the colours are Adobe RGB, with which cameras
//         spare themselves the profile
//   PNG   (third edition) cICP when it says sRGB, then iCCP, then any other cICP, then sRGB, then gAMA and cHRM. gAMA
//         of about 1/2.2 without other primaries than sRGB's is what encoders write beside or in place of sRGB, and is
//         taken as that, as browsers do. Colour chunks after the picture's data do not count
//   BMP   version 5: the word that it is sRGB; profiles in it are reported
//   WebP  ICCP
//   AVIF, HEIC  the primary picture's colr: a profile, else H.273 primaries (sRGB's and Display P3's are read, with
//         sRGB's curve)
// Without any word, sRGB is assumed, as browsers and the network's training do. A profile never costs the picture: one
// that cannot be used is reported and the pixels stay as they are.
//
// Pixels are converted before they are resampled, as profiles describe stored pixels and as Pillow users do
// (profileToProfile, then resize).
#pragma once

#include "colour/description.h"
#include "colour/icc.h"
#include "contract.h"

namespace dermlet {

// Sets the converter, for kConverted alone. `channels` as in Header.
[[nodiscard]] ColourSource set_converter(const ColourDescription& colours, int channels, Converter& converter);

}  // namespace dermlet
