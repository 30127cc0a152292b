// File bytes -> RGB pixels as stored (not yet turned upright).
//
// JPEG (baseline and progressive, 8 bit, grey, YCbCr, RGB, Adobe CMYK/YCCK), PNG (1-16 bit, all colour types, interlaced) and BMP, by stb_image >= 2.30.
// The header is read here, with bounds checked, and limits are applied to it before anything is allocated; what stb_image then allocates comes out of a
// byte budget that follows from the header. 16-bit samples give their high byte; transparency is laid over white as Pillow's alpha_composite does.
// stb_image takes a JPEG or BMP that ends early for a whole one and does not check a PNG's checksums: the file's structure is checked here first.
#pragma once

#include <cstddef>

#include "bytes.h"
#include "image.h"
#include "result.h"
#include "sniff.h"

namespace dermlet {

inline constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxPixels = 64'000'000;
inline constexpr int kMaxSide = 65'535;

struct Header {
  Format format;
  int width = 0;  // as stored, pixels
  int height = 0;
  int orientation = 1;  // EXIF 1-8
};

// Reads the header and checks the file's structure without decoding or allocating.
// Errors: kUnsupportedFormat (named), kCorruptImage (broken header, cut off, wrong checksum), kImageTooLarge (limits above).
[[nodiscard]] Result<Header> read_header(Bytes bytes);

// Decodes to RGB8, width x height of the header. `header` must come from read_header() on the same bytes.
// Errors: kCorruptImage, kUnsupportedFormat, kImageTooLarge (no memory, or more than such a header can need).
[[nodiscard]] Result<Image> decode(Bytes bytes, const Header& header);

}  // namespace dermlet
