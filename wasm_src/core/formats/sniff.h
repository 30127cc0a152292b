// What a file is, from its first bytes; its name and declared type are never believed.
#pragma once

#include <cstdint>
#include <string_view>

#include "bytes.h"
#include "result.h"

namespace dermlet {

enum class Format : std::uint8_t {
  kJpeg,
  kPng,
  kBmp,
  kWebp,  // from here on: known, but decoded elsewhere (header_foreign.cc)
  kAvif,
  kHeic,
};

// Whether the pixels of this format have to be decoded by somebody else: a browser, libheif.
[[nodiscard]] constexpr bool is_foreign(Format format) { return format >= Format::kWebp; }

// Errors: kUnsupportedFormat (the message names what the file seems to be), kCorruptImage (empty).
[[nodiscard]] Result<Format> sniff(Bytes bytes);

// "jpeg", "png", "bmp", "webp", "avif" or "heic".
[[nodiscard]] std::string_view format_name(Format format);

}  // namespace dermlet
