#include "formats/bmp/bmp.h"

namespace dermlet {
namespace {

constexpr std::size_t kCoreHeader = 12;
constexpr auto kOrder = ByteOrder::kLittle;

// BITMAPV5HEADER names the colours by four letters, last one first: sRGB, or a profile in this file or another.
ColourKind read_colour_kind(Bytes file, std::uint32_t header_bytes) {
  if (header_bytes < 124) return ColourKind::kNone;
  if (starts_with(file, "BGRs", 70)) return ColourKind::kSrgb;
  return starts_with(file, "DEBM", 70) || starts_with(file, "KNIL", 70) ? ColourKind::kUnreadable : ColourKind::kNone;
}

}  // namespace

// The file header, one of the information headers, and whether the rows that they promise are there.
Expected<Header> read_bmp_header(Bytes bytes) {
  const auto data_at = read_u32(bytes, 10, kOrder);
  const auto header_bytes = read_u32(bytes, 14, kOrder);
  const bool core = header_bytes == kCoreHeader;
  const auto bits = read_u16(bytes, core ? 24 : 28, kOrder);
  const auto compression = core ? std::optional<std::uint32_t>(0) : read_u32(bytes, 30, kOrder);
  if (!bits || !compression || bytes.size() < 14 + std::size_t{*header_bytes})
    return fail(ErrorCode::kCorruptImage, "the BMP ends before the picture does");
  std::int64_t width = 0;
  std::int64_t height = 0;
  if (core) {
    width = *read_u16(bytes, 18, kOrder);
    height = *read_u16(bytes, 20, kOrder);
  } else {
    width = static_cast<std::int32_t>(*read_u32(bytes, 18, kOrder));
    height = static_cast<std::int32_t>(*read_u32(bytes, 22, kOrder));
    if (height < 0) height = -height;  // rows from the top
  }
  if (width <= 0 || height == 0) return fail(ErrorCode::kCorruptImage, "the BMP's size makes no sense");
  DERMLET_CHECK(check_size(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height)));
  // 0 plain, 3 channel masks; the others are run-length codes or whole JPEG and PNG files.
  if (*compression != 0 && *compression != 3)
    return fail(ErrorCode::kUnsupportedFormat, "a compressed BMP cannot be read");
  switch (*bits) {
    case 1:
    case 4:
    case 8:
    case 16:
    case 24:
    case 32:
      break;
    default:
      return fail(ErrorCode::kUnsupportedFormat, "a BMP with this number of bits a pixel cannot be read");
  }
  const std::uint64_t row = (static_cast<std::uint64_t>(width) * *bits + 31) / 32 * 4;
  // The last row's padding is sometimes left out.
  const std::uint64_t needed =
      row * static_cast<std::uint64_t>(height - 1) + (static_cast<std::uint64_t>(width) * *bits + 7) / 8;
  if (*data_at < 14 + kCoreHeader || *data_at > bytes.size() || needed > bytes.size() - *data_at) {
    return fail(ErrorCode::kCorruptImage, "the BMP ends before the picture does");
  }
  Header header{Format::kBmp, static_cast<int>(width), static_cast<int>(height)};
  header.colours.kind = read_colour_kind(bytes, *header_bytes);
  return header;
}

}  // namespace dermlet
