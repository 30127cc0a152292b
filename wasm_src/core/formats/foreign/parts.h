// What the readers of WebP and of HEIF files share.
#pragma once

#include <cstdint>

#include "formats/header.h"

namespace dermlet::foreign {

// One part of a file: a WebP chunk or an ISO box.
struct Part {
  Bytes type;  // four bytes
  Bytes payload;
  std::size_t end;  // where the next one begins
};

[[nodiscard]] tl::unexpected<Error> cut_off();
[[nodiscard]] tl::unexpected<Error> no_picture();

// Errors: kCorruptImage (nothing), kImageTooLarge.
[[nodiscard]] Expected<void> set_size(Header& header, std::uint32_t width, std::uint32_t height);

}  // namespace dermlet::foreign
