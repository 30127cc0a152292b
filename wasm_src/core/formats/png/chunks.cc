#include <array>

#include "formats/png/png.h"

namespace dermlet {
namespace {

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

}  // namespace

std::uint32_t png_crc32(Bytes type_and_data) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const std::uint8_t byte : type_and_data) crc = kCrcTable[(crc ^ byte) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

bool PngChunk::intact() const { return png_crc32(type_and_data) == checksum; }

std::optional<PngChunk> read_png_chunk(Bytes file, std::size_t at) {
  const auto length = read_u32(file, at, ByteOrder::kBig);
  if (!length || *length > 0x7FFFFFFFu || file.size() - at < 12 || *length > file.size() - at - 12) return {};
  const std::size_t end = at + 12 + *length;
  return PngChunk{file.subspan(at + 4, std::size_t{*length} + 4), *read_u32(file, end - 4, ByteOrder::kBig), at, end};
}

std::optional<PngChunk> find_png_chunk(Bytes file, std::string_view type, std::string_view before) {
  for (auto chunk = read_png_chunk(file, kFirstPngChunk); chunk; chunk = read_png_chunk(file, chunk->end)) {
    if (chunk->is(before)) break;
    if (chunk->is(type)) return chunk;
  }
  return {};
}

}  // namespace dermlet
