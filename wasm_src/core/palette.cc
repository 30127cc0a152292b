#include "palette.h"

#include <algorithm>
#include <array>

#include "header.h"

namespace dermlet {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kColours = 256;

// Writes one after another into a buffer that is large enough.
class Writer {
 public:
  explicit Writer(Buffer<std::uint8_t>& buffer) : to_(buffer.data()) {}

  void copy(Bytes bytes) { to_ = std::copy(bytes.begin(), bytes.end(), to_); }
  void zeros(std::size_t count) { to_ = std::fill_n(to_, count, std::uint8_t{0}); }
  void u8(std::uint32_t value) { *to_++ = static_cast<std::uint8_t>(value); }
  void u16(std::uint32_t value) { u8(value), u8(value >> 8); }
  void u32(std::uint32_t value) { u16(value), u16(value >> 16); }
  void u32_big(std::uint32_t value) { u8(value >> 24), u8(value >> 16), u8(value >> 8), u8(value); }

 private:
  std::uint8_t* to_;
};

Result<Buffer<std::uint8_t>> whole_png(Bytes bytes) {
  constexpr std::size_t kChunk = 3 * kColours;
  constexpr std::uint8_t kPaletteColour = 3;
  if (read_u8(bytes, 25) != kPaletteColour) return Buffer<std::uint8_t>();
  std::size_t at = 8;
  std::size_t length = 0;
  for (;; at += length + 12) {
    length = read_u32(bytes, at, ByteOrder::kBig).value_or(0);
    // Without a palette, or with one that makes no sense, stb_image refuses the picture.
    if (bytes.size() - at < 12 || length > bytes.size() - at - 12 || starts_with(bytes, "IEND"sv, at + 4))
      return Buffer<std::uint8_t>();
    if (starts_with(bytes, "PLTE"sv, at + 4)) break;
  }
  if (length % 3 != 0 || length == 0 || length >= kChunk) return Buffer<std::uint8_t>();
  auto whole = Buffer<std::uint8_t>::allocate(bytes.size() + kChunk - length);
  if (!whole) return whole;
  Writer out(*whole);
  out.copy(bytes.first(at));
  out.u32_big(kChunk);
  out.copy(bytes.subspan(at + 4, 4 + length));
  out.zeros(kChunk - length);
  out.u32_big(png_crc32({whole->data() + at + 4, 4 + kChunk}));
  out.copy(bytes.subspan(at + 12 + length));
  return whole;
}

Result<Buffer<std::uint8_t>> whole_bmp(Bytes bytes) {
  constexpr std::size_t kHeaders = 14 + 40;
  constexpr auto kOrder = ByteOrder::kLittle;
  const std::size_t data_at = *read_u32(bytes, 10, kOrder);
  const std::size_t header = *read_u32(bytes, 14, kOrder);
  const bool os2 = header == 12;
  const std::uint32_t bits = *read_u16(bytes, os2 ? 24 : 28, kOrder);
  if (bits > 8 || (!os2 && *read_u32(bytes, 30, kOrder) != 0)) return Buffer<std::uint8_t>();
  const std::size_t entry = os2 ? 3 : 4;
  const std::size_t colours = data_at < 14 + header ? 0 : std::min(kColours, (data_at - 14 - header) / entry);
  if (colours == 0) return fail(ErrorCode::kCorruptImage, "the BMP has no palette");
  const Bytes rows = bytes.subspan(data_at);
  auto whole = Buffer<std::uint8_t>::allocate(kHeaders + 4 * kColours + rows.size());
  if (!whole) return whole;
  Writer out(*whole);
  out.copy(bytes.first(10));  // what it is, and sizes that nobody reads
  out.u32(kHeaders + 4 * kColours);
  out.u32(40);
  out.u32(os2 ? *read_u16(bytes, 18, kOrder) : *read_u32(bytes, 18, kOrder));
  out.u32(os2 ? *read_u16(bytes, 20, kOrder) : *read_u32(bytes, 22, kOrder));
  out.u16(1);
  out.u16(bits);
  out.zeros(24);
  for (std::size_t i = 0; i < colours; ++i) {
    out.copy(bytes.subspan(14 + header + i * entry, 3));
    out.u8(0);
  }
  out.zeros(4 * (kColours - colours));
  out.copy(rows);
  return whole;
}

}  // namespace

Result<Buffer<std::uint8_t>> with_whole_palette(Bytes bytes, Format format) {
  switch (format) {
    case Format::kPng:
      return whole_png(bytes);
    case Format::kBmp:
      return whole_bmp(bytes);
    case Format::kJpeg:
      break;
  }
  return Buffer<std::uint8_t>();
}

}  // namespace dermlet
