// Boxes of ISO base media files (ISO/IEC 14496-12), of which AVIF, HEIC and most videos are made.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "bytes.h"
#include "contract.h"
#include "formats/foreign/parts.h"

namespace dermlet::foreign {

// As ISO base media files write all numbers.
inline constexpr auto kBig = ByteOrder::kBig;

// Whether a box may reach beyond the bytes: where they are only the beginning of a file.
enum class Beyond : std::uint8_t { kNo, kYes };

// `at` lies inside; nothing when the box does not.
[[nodiscard]] std::optional<Part> read_box(Bytes bytes, std::size_t at, Beyond beyond = Beyond::kNo);

// The first box of a type; empty when there is none.
[[nodiscard]] Bytes find_box(Bytes bytes, std::string_view type, Beyond beyond = Beyond::kNo);

// Of `bytes`, which begin with an ftyp box: the format that its brands name.
[[nodiscard]] std::optional<Format> format_of_brands(Bytes bytes);

// What an ISO file is that is not read.
enum class IsoOther : std::uint8_t { kVideo, kRaw, kPicture };

struct IsoKind {
  std::optional<Format> format{};
  IsoOther other = IsoOther::kVideo;  // where `format` has no value
};

// By the brands, and where they do not name a coding, by the configuration of a decoder that is among the pictures'
// properties.
[[nodiscard]] IsoKind iso_kind(Bytes bytes);

}  // namespace dermlet::foreign
