// Where a BMP's pixels lie and what they mean.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "bytes.h"
#include "expected.h"

namespace dermlet::bmp {

enum class Coding : std::uint8_t { kPlain, kRunLengths4, kRunLengths8 };

struct Layout {
  std::size_t header_bytes = 0;
  int width = 0;
  int height = 0;
  bool top_down = false;
  int bits = 0;  // a pixel: 1, 4, 8, 16, 24, 32
  Coding coding = Coding::kPlain;
  std::size_t data_at = 0;
  std::size_t row_bytes = 0;             // of plain rows, padding included
  std::size_t colours = 0;               // of the palette, which follows the header; up to 8 bits a pixel only
  std::size_t colour_bytes = 4;          // each, blue first
  std::array<std::uint32_t, 4> masks{};  // red, green, blue, alpha; 0 for a channel that is not there
};

// Everything is held against the file's size. Errors: kCorruptImage, kUnsupportedFormat, kImageTooLarge.
[[nodiscard]] Expected<Layout> read_layout(Bytes file);

}  // namespace dermlet::bmp
