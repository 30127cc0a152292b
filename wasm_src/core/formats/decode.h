// File bytes, or pixels that were decoded elsewhere -> RGB pixels as stored (not yet turned upright).
//
// JPEG and BMP by decoders of our own: formats/jpeg/jpeg.h, which can reduce while it decodes, and formats/bmp/bmp.h.
// PNG (1-16 bit, all colour types, interlaced) by stb_image >= 2.30. What stb_image allocates comes out of a byte
// budget that follows from the header. 16-bit samples give their high byte; transparency is laid over white as Pillow's
// alpha_composite does. stb_image does not check a PNG's checksums: check_checksums() does. A PNG's palette is
// completed (formats/png/png.h). WebP, AVIF and HEIC are decoded elsewhere.
#pragma once

#include "bytes.h"
#include "expected.h"
#include "formats/header.h"
#include "geometry/rect.h"
#include "image.h"

namespace dermlet {

class Converter;  // colour/icc.h

// Whether the file's data is what was written, as far as its format says without decoding: a PNG's checksums. `header`
// must come from inspect() on the same bytes. Errors: kCorruptImage.
[[nodiscard]] Expected<void> check_checksums(Bytes bytes, const Header& header);

// Decodes at least `part`, in full-size pixels of the stored picture, reduced by at most `reduction` (1, 2, 4, 8); PNG
// and BMP are never reduced. `header` must come from inspect() on the same bytes. With a converter, colours come out as
// sRGB, before transparency is laid over white. Errors: kCorruptImage, kUnsupportedFormat (one that is decoded
// elsewhere), kImageTooLarge (no memory, or more than such a header can need), kInvalidArgument (a part outside).
[[nodiscard]] Expected<Reduced> decode(Bytes bytes, const Header& header, const Rect& part, int reduction,
                                       const Converter* converter = nullptr);

// The same of pixels that were decoded elsewhere: `part` of them, at full size. 1 to 4 channels.
[[nodiscard]] Expected<Reduced> take_pixels(const Image& pixels, const Rect& part,
                                            const Converter* converter = nullptr);

}  // namespace dermlet
