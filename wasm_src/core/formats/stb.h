// The one door to stb_image: PNG from memory, and zlib streams, under a byte budget.
//
// Every byte that stb_image asks for is taken from a budget that the caller derives from the picture's header, so that
// a file whose data does not fit its header (a decompression bomb) is refused instead of filling memory. stb_image
// offers macros for its allocator and no way to pass a context, so the budget is per thread; it is set for the length
// of one decode only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bytes.h"
#include "image.h"

namespace dermlet {

struct StbPicture {
  std::uint8_t* pixels = nullptr;  // from malloc, owned by the caller; null on failure
  int width = 0;
  int height = 0;
  int channels = 0;      // 1-4, as in the file
  bool refused = false;  // a request for memory went over the budget or could not be met
};

[[nodiscard]] StbPicture stb_decode(Bytes bytes, std::size_t budget);

// Inflates a zlib stream to at most `budget` bytes; empty when it is broken or holds more.
[[nodiscard]] Buffer<std::uint8_t> stb_inflate(Bytes zlib, std::size_t budget);

}  // namespace dermlet
