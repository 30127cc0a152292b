// PNG structure (ISO/IEC 15948): walks the chunks, checks their order where it matters and their checksums.
#include <array>

#include "exif.h"
#include "header.h"

namespace dermlet {
namespace {

using namespace std::string_view_literals;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t n = 0; n < 256; ++n) {
    std::uint32_t c = n;
    for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
    table[n] = c;
  }
  return table;
}

constexpr auto kCrcTable = make_crc_table();

// Bit depths allowed for each colour type.
bool depth_fits(std::uint8_t depth, std::uint8_t colour) {
  switch (colour) {
    case 0:
      return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
    case 3:
      return depth == 1 || depth == 2 || depth == 4 || depth == 8;
    case 2:
    case 4:
    case 6:
      return depth == 8 || depth == 16;
    default:
      return false;
  }
}

Result<Header> read_ihdr(Bytes data, std::size_t file_bytes) {
  const auto width = read_u32(data, 0, ByteOrder::kBig);
  const auto height = read_u32(data, 4, ByteOrder::kBig);
  if (data.size() != 13) return fail(ErrorCode::kCorruptImage, "the PNG's header has the wrong length");
  if (*width == 0 || *height == 0 || *width > 0x7FFFFFFFu || *height > 0x7FFFFFFFu)
    return fail(ErrorCode::kCorruptImage, "the PNG's size makes no sense");
  if (!depth_fits(data[8], data[9]) || data[10] != 0 || data[11] != 0 || data[12] > 1)
    return fail(ErrorCode::kCorruptImage, "the PNG's header makes no sense");
  if (auto within = check_size(*width, *height); !within) return tl::unexpected(within.error());
  Header header{Format::kPng, static_cast<int>(*width), static_cast<int>(*height)};
  header.channels = (data[9] & 2) != 0 ? 3 : 1;
  // What the file cannot hold is not allocated: deflate makes at most 1032 bytes of one (a match of 258 in two bits),
  // and rows are at least their pixels.
  constexpr std::array<std::uint8_t, 7> kSamples = {1, 0, 3, 1, 2, 0, 4};
  const std::uint64_t bits = std::uint64_t{*width} * *height * data[8] * kSamples[data[9]];
  if (bits / 8 / 1032 > file_bytes) return fail(ErrorCode::kCorruptImage, "the PNG ends before the picture does");
  return header;
}

}  // namespace

std::uint32_t png_crc32(Bytes type_and_data) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const std::uint8_t byte : type_and_data) crc = kCrcTable[(crc ^ byte) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

Result<Header> read_png_header(Bytes bytes) {
  std::optional<Header> header;
  bool data_seen = false;
  for (std::size_t at = 8;;) {
    const auto length = read_u32(bytes, at, ByteOrder::kBig);
    if (!length || *length > 0x7FFFFFFFu || bytes.size() - at < 12 || *length > bytes.size() - at - 12) {
      return fail(ErrorCode::kCorruptImage, "the PNG ends before the picture does");
    }
    const Bytes type_and_data = bytes.subspan(at + 4, std::size_t{*length} + 4);
    const Bytes data = type_and_data.subspan(4);
    const bool critical = (type_and_data[0] & 0x20) == 0;
    // Limits are applied before the checksums of long chunks are computed.
    if (!header) {
      if (starts_with(type_and_data, "CgBI"sv))
        return fail(ErrorCode::kUnsupportedFormat, "an Xcode-optimised PNG cannot be read");
      if (!starts_with(type_and_data, "IHDR"sv))
        return fail(ErrorCode::kCorruptImage, "the PNG does not begin with its header");
      auto read = read_ihdr(data, bytes.size());
      if (!read) return tl::unexpected(read.error());
      header = *read;
    }
    if (critical && png_crc32(type_and_data) != read_u32(bytes, at + 8 + *length, ByteOrder::kBig)) {
      return fail(ErrorCode::kCorruptImage, "a part of the PNG does not match its checksum");
    }
    if (starts_with(type_and_data, "IDAT"sv)) data_seen = true;
    if (starts_with(type_and_data, "eXIf"sv)) header->orientation = read_orientation(data);
    if (starts_with(type_and_data, "IEND"sv)) break;
    at += std::size_t{*length} + 12;
  }
  if (!data_seen) return fail(ErrorCode::kCorruptImage, "the PNG holds no picture");
  return *header;
}

}  // namespace dermlet
