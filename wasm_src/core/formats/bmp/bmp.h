// BMP of Windows and OS/2: 1, 4, 8, 16, 24 and 32 bits a pixel, plain, with channel masks or run lengths, rows from the
// bottom or the top, by every header from OS/2 1 (12 bytes) to Windows' version 5 (124).
//
// What the formats' descriptions leave open is read as Pillow and Chromium read it: the fourth byte of a 32-bit picture
// means nothing unless a mask makes it alpha, and nothing either where it is 0 throughout; a palette that is counted
// where none is needed is passed over; a colour that the palette lacks is black, as in browsers; 5 and 6 bits become 8
// as in Pillow. Pixels that run lengths leave out have the palette's first colour. Whole JPEG and PNG files within a
// BMP are not read.
#pragma once

#include "formats/header.h"
#include "geometry/rect.h"

namespace dermlet {

// `bytes` begin with the format's signature. Allocates nothing but the copy of a profile. Errors: kCorruptImage
// (broken, or the promised rows are not there), kUnsupportedFormat, kImageTooLarge.
[[nodiscard]] Expected<Header> read_bmp_header(Bytes bytes);

// The part of the picture, RGB, or RGBA where the file has an alpha channel. `bytes` must have passed
// read_bmp_header(), `part` must lie inside. Errors: kCorruptImage (run lengths that make no sense or end early),
// kImageTooLarge (no memory).
[[nodiscard]] Expected<Image> decode_bmp(Bytes bytes, const Rect& part);

}  // namespace dermlet
