// Pictures with a palette, brought to the form in which stb_image reads them right.
//
// stb_image keeps a palette in memory that it does not clear: a pixel that names a colour beyond the palette's end
// shows what happened to lie there, another on every machine and in every call. Of an OS/2 BMP's palette it leaves out
// the last four colours in the same way. So the file is rewritten with a palette of 256 colours, of which those that it
// lacks are black, as browsers show them.
#pragma once

#include "bytes.h"
#include "image.h"
#include "result.h"
#include "sniff.h"

namespace dermlet {

// `bytes` as read_header() accepted them. Empty when they are fine as they are. A BMP comes out with the 40-byte header
// of Windows. Errors: kCorruptImage (a BMP that needs a palette and has none), kImageTooLarge (no memory).
[[nodiscard]] Result<Buffer<std::uint8_t>> with_whole_palette(Bytes bytes, Format format);

}  // namespace dermlet
