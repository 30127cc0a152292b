#include <algorithm>

#include "formats/bmp/bmp.h"
#include "formats/writer.h"

namespace dermlet {
namespace {

constexpr std::size_t kColours = 256;

}  // namespace

Expected<Buffer<std::uint8_t>> complete_bmp_palette(Bytes bytes) {
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
  DERMLET_TRY(whole, Buffer<std::uint8_t>::allocate(kHeaders + 4 * kColours + rows.size()));
  Writer out(whole);
  out.copy(bytes.first(10));  // signature, and sizes that are not read
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

}  // namespace dermlet
