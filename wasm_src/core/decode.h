// File bytes -> RGB pixels as stored (not yet turned upright).
//
// WebP, AVIF and HEIC are named and their headers read, their pixels come from elsewhere. JPEG by our own decoder
// (jpeg.h), which can reduce while it decodes; PNG (1-16 bit, all colour types, interlaced) and BMP by stb_image
// >= 2.30. The header is read here, with bounds checked, and limits are applied to it before anything is allocated;
// what stb_image then allocates comes out of a byte budget that follows from the header. 16-bit samples give their high
// byte; transparency is laid over white as Pillow's alpha_composite does. stb_image takes a BMP that ends early for a
// whole one and does not check a PNG's checksums: the file's structure is checked here first. Palettes are completed
// (palette.h).
#pragma once

#include <cstddef>
#include <vector>

#include "bytes.h"
#include "image.h"
#include "result.h"
#include "sniff.h"

namespace dermlet {

inline constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxPixels = 64'000'000;
inline constexpr int kMaxSide = 65'535;

struct BytePatch {
  std::size_t at;
  std::uint8_t value;
};

struct Header {
  Format format;
  int width = 0;  // as stored, pixels
  int height = 0;
  int orientation = 1;     // EXIF 1-8
  int channels = 3;        // of colour, as stored: 1 grey, 3 red, green and blue, 4 inks
  bool adobe_rgb = false;  // EXIF says so; a profile counts for more
  // Of formats that are decoded elsewhere alone:
  Bytes profile;      // ICC profile, part of the file
  int primaries = 0;  // ITU-T H.273 colour primaries where the container states them without a profile; 0 says nothing,
                      // -1 what is not read
  std::vector<BytePatch>
      plain;  // what to change so that whoever decodes applies neither orientation nor profile: both are seen to here
};

// Reads the header and checks the file's structure without decoding or allocating.
// Errors: kUnsupportedFormat (named), kCorruptImage (broken header, cut off, wrong checksum), kImageTooLarge (limits
// above).
[[nodiscard]] Result<Header> read_header(Bytes bytes);

// A part of a picture, reduced.
struct Reduced {
  Image image;        // RGB8
  int reduction = 1;  // full-size pixels a side that one pixel stands for: 1, 2, 4, 8
  int x = 0;          // place of the image's left top pixel in the whole reduced picture
  int y = 0;
};

class Converter;  // icc.h

// Decodes at least `part`, in full-size pixels of the stored picture, reduced by at most `reduction` (1, 2, 4, 8); PNG
// and BMP are never reduced. `header` must come from read_header() on the same bytes; `decoded` are the pixels of a
// foreign format (RGBA8, as stored) and null for all others. With a converter, colours come out as sRGB, before
// transparency is laid over white. Errors: kCorruptImage, kUnsupportedFormat, kImageTooLarge (no memory, or more than
// such a header can need).
[[nodiscard]] Result<Reduced> decode(Bytes bytes, const Header& header, const Rect& part, int reduction,
                                     const Converter* converter = nullptr, const Image* decoded = nullptr);

}  // namespace dermlet
