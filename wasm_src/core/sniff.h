// What a file is, from its first bytes; its name and declared type are never believed.
#pragma once

#include <cstdint>
#include <string_view>

#include "bytes.h"
#include "result.h"

namespace dermlet {

enum class Format : std::uint8_t { kJpeg, kPng, kBmp };

// Errors: kUnsupportedFormat (the message names what the file seems to be), kCorruptImage (empty).
[[nodiscard]] Result<Format> sniff(Bytes bytes);

// "jpeg", "png" or "bmp".
[[nodiscard]] std::string_view format_name(Format format);

}  // namespace dermlet
