#include "formats/png/png.h"
#include "formats/writer.h"

namespace dermlet {

using namespace std::string_view_literals;

Expected<Buffer<std::uint8_t>> complete_png_palette(Bytes bytes) {
  constexpr std::size_t kWhole = 3 * std::size_t{256};
  constexpr std::uint8_t kPaletteColour = 3;
  if (read_u8(bytes, 25) != kPaletteColour) return Buffer<std::uint8_t>();
  // Without a palette, or with one that makes no sense, stb_image refuses the picture.
  const auto palette = find_png_chunk(bytes, "PLTE"sv, "IEND"sv);
  const std::size_t length = palette ? palette->data().size() : 0;
  if (length % 3 != 0 || length == 0 || length >= kWhole) return Buffer<std::uint8_t>();
  DERMLET_TRY(whole, Buffer<std::uint8_t>::allocate(bytes.size() + kWhole - length));
  Writer out(whole);
  out.copy(bytes.first(palette->at));
  out.u32_big(kWhole);
  out.copy(palette->type_and_data);
  out.zeros(kWhole - length);
  out.u32_big(png_crc32({whole.data() + palette->at + 4, 4 + kWhole}));
  out.copy(bytes.subspan(palette->end));
  return whole;
}

}  // namespace dermlet
