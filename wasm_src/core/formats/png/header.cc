#include <array>
#include <utility>

#include "formats/exif.h"
#include "formats/png/png.h"

namespace dermlet {
namespace {

using namespace std::string_view_literals;

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

Expected<Header> read_ihdr(Bytes data, std::size_t file_bytes) {
  const auto width = read_u32(data, 0, ByteOrder::kBig);
  const auto height = read_u32(data, 4, ByteOrder::kBig);
  if (data.size() != 13) return fail(ErrorCode::kCorruptImage, "the PNG's header has the wrong length");
  if (*width == 0 || *height == 0 || *width > 0x7FFFFFFFu || *height > 0x7FFFFFFFu)
    return fail(ErrorCode::kCorruptImage, "the PNG's size makes no sense");
  if (!depth_fits(data[8], data[9]) || data[10] != 0 || data[11] != 0 || data[12] > 1)
    return fail(ErrorCode::kCorruptImage, "the PNG's header makes no sense");
  DERMLET_CHECK(check_size(*width, *height));
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

Expected<Header> read_png_header(Bytes bytes) {
  std::optional<Header> header;
  bool data_seen = false;
  for (std::size_t at = kFirstPngChunk;;) {
    const auto chunk = read_png_chunk(bytes, at);
    if (!chunk) return fail(ErrorCode::kCorruptImage, "the PNG ends before the picture does");
    if (!header) {
      if (chunk->is("CgBI"sv)) return fail(ErrorCode::kUnsupportedFormat, "an Xcode-optimised PNG cannot be read");
      if (!chunk->is("IHDR"sv)) return fail(ErrorCode::kCorruptImage, "the PNG does not begin with its header");
      DERMLET_TRY(read, read_ihdr(chunk->data(), bytes.size()));
      header = std::move(read);
    }
    if (chunk->is("IDAT"sv)) data_seen = true;
    if (chunk->is("eXIf"sv)) header->orientation = read_orientation(chunk->data());
    if (chunk->is("IEND"sv)) break;
    at = chunk->end;
  }
  if (!data_seen) return fail(ErrorCode::kCorruptImage, "the PNG holds no picture");
  header->colours = read_png_colours(bytes);
  return *std::move(header);
}

Expected<void> check_png_checksums(Bytes bytes) {
  for (auto chunk = read_png_chunk(bytes, kFirstPngChunk); chunk; chunk = read_png_chunk(bytes, chunk->end)) {
    if (chunk->critical() && !chunk->intact())
      return fail(ErrorCode::kCorruptImage, "a part of the PNG does not match its checksum");
    if (chunk->is("IEND"sv)) break;
  }
  return {};
}

}  // namespace dermlet
