// What the readers and decoders of all formats share: what a file's header says, the limits that it is held to, and
// pixels as a decoder gives them. A header owns what it holds and may outlive the file's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bytes.h"
#include "colour/description.h"
#include "expected.h"
#include "formats/sniff.h"
#include "image.h"

namespace dermlet {

inline constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxPixels = 64'000'000;
inline constexpr int kMaxSide = 65'535;

// Errors: kImageTooLarge over kMaxSide or kMaxPixels.
[[nodiscard]] Expected<void> check_size(std::uint64_t width, std::uint64_t height);

struct BytePatch {
  std::size_t at;
  std::uint8_t value;
};

struct Header {
  Format format;
  int width = 0;  // as stored, pixels
  int height = 0;
  int orientation = 1;  // EXIF 1-8
  int channels = 3;     // of colour, as stored: 1 grey, 3 red, green and blue, 4 inks
  ColourDescription colours{};
  // Of formats that are decoded elsewhere: with these the copy that is decoded says nothing of orientation or profile,
  // so that whoever decodes applies neither. Both are applied here.
  std::vector<BytePatch> neutralising{};
};

// A part of a picture, reduced.
struct Reduced {
  Image image;        // RGB8
  int reduction = 1;  // full-size pixels a side that one pixel stands for: 1, 2, 4, 8
  int x = 0;          // place of the image's left top pixel in the whole reduced picture
  int y = 0;
};

}  // namespace dermlet
