#include "formats/bmp/bmp.h"
#include "formats/bmp/layout.h"

namespace dermlet {
namespace {

// BITMAPV5HEADER names the colours by four letters, last one first: sRGB, or a profile in this file or another.
Expected<ColourDescription> read_colours(Bytes file, std::size_t header_bytes) {
  constexpr auto kOrder = ByteOrder::kLittle;
  constexpr std::size_t kHeaderAt = 14;
  if (header_bytes < 124) return ColourDescription();
  if (starts_with(file, "BGRs", 70)) return ColourDescription{ColourKind::kSrgb};
  if (starts_with(file, "KNIL", 70)) return ColourDescription{ColourKind::kUnreadable};
  if (!starts_with(file, "DEBM", 70)) return ColourDescription();
  const std::size_t length = *read_u32(file, 130, kOrder);
  const Bytes profile = slice(slice(file, kHeaderAt), *read_u32(file, 126, kOrder), length);
  if (length == 0 || profile.size() != length) return ColourDescription{ColourKind::kUnreadable};
  return described_by_profile(profile);
}

}  // namespace

Expected<Header> read_bmp_header(Bytes bytes) {
  DERMLET_TRY(layout, bmp::read_layout(bytes));
  Header header{Format::kBmp, layout.width, layout.height};
  DERMLET_TRY(colours, read_colours(bytes, layout.header_bytes));
  header.colours = std::move(colours);
  return header;
}

}  // namespace dermlet
