#include "formats/header.h"

#include <string>

namespace dermlet {

Expected<void> check_size(std::uint64_t width, std::uint64_t height) {
  if (width > kMaxSide || height > kMaxSide || width * height > kMaxPixels) {
    return fail(ErrorCode::kImageTooLarge, "the picture is " + std::to_string(width) + " x " + std::to_string(height) +
                                               " pixels; at most " + std::to_string(kMaxPixels / 1'000'000) +
                                               " million can be read");
  }
  return {};
}

}  // namespace dermlet
