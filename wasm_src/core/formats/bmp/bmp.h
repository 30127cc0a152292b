// BMP: its header and its palette. stb_image decodes the pixels.
#pragma once

#include "formats/header.h"

namespace dermlet {

// `bytes` begin with the format's signature. Allocates nothing. Errors: kCorruptImage (broken, or the promised rows are
// not there), kUnsupportedFormat, kImageTooLarge.
[[nodiscard]] Expected<Header> read_bmp_header(Bytes bytes);

// The file with a palette of 256 colours and the 40-byte header of Windows; empty when it has no palette. What the
// palette lacks is black, as browsers show it: stb_image keeps it in memory that it does not clear, so that a pixel
// naming such a colour shows what happened to lie there, and of an OS/2 palette it leaves out the last four colours.
// `bytes` as read_bmp_header() accepted them. Errors: kCorruptImage (no palette where one is needed), kImageTooLarge
// (no memory).
[[nodiscard]] Expected<Buffer<std::uint8_t>> complete_bmp_palette(Bytes bytes);

}  // namespace dermlet
