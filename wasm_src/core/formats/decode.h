// File bytes -> RGB pixels as stored (not yet turned upright).
//
// WebP, AVIF and HEIC are named and their headers read, their pixels come from elsewhere. JPEG by our own decoder
// (formats/jpeg/jpeg.h), which can reduce while it decodes; PNG (1-16 bit, all colour types, interlaced) and BMP by
// stb_image
// >= 2.30. The header is read here, with bounds checked, and limits are applied to it before anything is allocated;
// what stb_image then allocates comes out of a byte budget that follows from the header. 16-bit samples give their high
// byte; transparency is laid over white as Pillow's alpha_composite does. stb_image takes a BMP that ends early for a
// whole one and does not check a PNG's checksums: the file's structure is checked here first. Palettes are completed
// (formats/bmp/bmp.h, formats/png/png.h).
#pragma once

#include "bytes.h"
#include "formats/header.h"
#include "geometry/rect.h"
#include "image.h"
#include "result.h"

namespace dermlet {

// Reads the header and checks the file's structure without decoding or allocating.
// Errors: kUnsupportedFormat (named), kCorruptImage (broken header, cut off, wrong checksum), kImageTooLarge (limits
// above).
[[nodiscard]] Result<Header> read_header(Bytes bytes);

class Converter;  // colour/icc.h

// Decodes at least `part`, in full-size pixels of the stored picture, reduced by at most `reduction` (1, 2, 4, 8); PNG
// and BMP are never reduced. `header` must come from read_header() on the same bytes; `decoded` are the pixels of a
// foreign format (RGBA8, as stored) and null for all others. With a converter, colours come out as sRGB, before
// transparency is laid over white. Errors: kCorruptImage, kUnsupportedFormat, kImageTooLarge (no memory, or more than
// such a header can need).
[[nodiscard]] Result<Reduced> decode(Bytes bytes, const Header& header, const Rect& part, int reduction,
                                     const Converter* converter = nullptr, const Image* decoded = nullptr);

}  // namespace dermlet
