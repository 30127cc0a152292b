// The header readers behind read_header(), one a format. Each walks untrusted bytes, allocates nothing and looks at
// each byte at most a few times.
#pragma once

#include <cstdint>

#include "decode.h"

namespace dermlet {

// Errors: kImageTooLarge over kMaxSide or kMaxPixels.
[[nodiscard]] Result<void> check_size(std::uint64_t width, std::uint64_t height);

// The checksum of a PNG chunk: of its type and data.
[[nodiscard]] std::uint32_t png_crc32(Bytes type_and_data);

// `bytes` begin with the format's signature.
[[nodiscard]] Result<Header> read_jpeg_header(Bytes bytes);
[[nodiscard]] Result<Header> read_png_header(Bytes bytes);
[[nodiscard]] Result<Header> read_bmp_header(Bytes bytes);
[[nodiscard]] Result<Header> read_webp_header(Bytes bytes);
[[nodiscard]] Result<Header> read_heif_header(Bytes bytes, Format format);  // kAvif or kHeic

}  // namespace dermlet
