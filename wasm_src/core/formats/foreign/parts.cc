#include "formats/foreign/parts.h"

#include <algorithm>

namespace dermlet::foreign {

tl::unexpected<Error> cut_off() { return fail(ErrorCode::kCorruptImage, "the file ends before the picture does"); }

tl::unexpected<Error> no_picture() { return fail(ErrorCode::kCorruptImage, "the file holds no picture"); }

Expected<void> set_size(Header& header, std::uint32_t width, std::uint32_t height) {
  if (width == 0 || height == 0) return no_picture();
  header.width = static_cast<int>(std::min<std::uint32_t>(width, kMaxSide));
  header.height = static_cast<int>(std::min<std::uint32_t>(height, kMaxSide));
  return check_size(width, height);
}

}  // namespace dermlet::foreign
