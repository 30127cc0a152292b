#include "formats/bmp/layout.h"

#include <algorithm>
#include <bit>

#include "formats/header.h"

namespace dermlet::bmp {
namespace {

constexpr auto kOrder = ByteOrder::kLittle;
constexpr std::size_t kFileHeader = 14;
constexpr std::size_t kCoreHeader = 12;  // OS/2 1
constexpr std::size_t kOs2Header = 64;   // OS/2 2, or less of it
constexpr std::size_t kMasksAt = kFileHeader + 40;

tl::unexpected<Error> too_short() { return fail(ErrorCode::kCorruptImage, "the BMP ends before the picture does"); }

// A field of the information header by its place in the file; 0 where the header is too short to have it.
std::uint32_t field(Bytes file, std::size_t header_bytes, std::size_t at) {
  return at + 4 <= kFileHeader + header_bytes ? read_u32(file, at, kOrder).value_or(0) : 0;
}

bool is_header(std::size_t bytes) {
  return bytes == kCoreHeader || (bytes >= 16 && bytes <= kOs2Header) || bytes == 108 || bytes == 124;
}

Expected<void> read_size(Bytes file, Layout& layout) {
  std::int64_t width = 0;
  std::int64_t height = 0;
  if (layout.header_bytes == kCoreHeader) {
    width = *read_u16(file, 18, kOrder);
    height = *read_u16(file, 20, kOrder);
  } else {
    width = static_cast<std::int32_t>(*read_u32(file, 18, kOrder));
    height = static_cast<std::int32_t>(*read_u32(file, 22, kOrder));
    layout.top_down = height < 0;
    if (layout.top_down) height = -height;
  }
  if (width <= 0 || height == 0) return fail(ErrorCode::kCorruptImage, "the BMP's size makes no sense");
  DERMLET_CHECK(check_size(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height)));
  layout.width = static_cast<int>(width);
  layout.height = static_cast<int>(height);
  return {};
}

// Each mask one run of bits, none in two masks.
bool make_sense(const std::array<std::uint32_t, 4>& masks) {
  std::uint32_t seen = 0;
  for (const std::uint32_t mask : masks) {
    const std::uint32_t run = mask == 0 ? 0 : mask >> std::countr_zero(mask);
    if ((run & (run + 1)) != 0 || (seen & mask) != 0) return false;
    seen |= mask;
  }
  return true;
}

// Behind a header of 40 bytes, or in the same place within a longer one. Gives how many bytes follow the header.
Expected<std::size_t> read_masks(Bytes file, bool alpha, Layout& layout) {
  constexpr std::size_t kWithAlpha = 56;  // Windows' version 3
  alpha = alpha || layout.header_bytes >= kWithAlpha;
  const std::uint32_t used = layout.bits == 32 ? ~0u : (1u << layout.bits) - 1;
  for (std::size_t i = 0; i < (alpha ? 4u : 3u); ++i) {
    const auto mask = read_u32(file, kMasksAt + 4 * i, kOrder);
    if (!mask) return too_short();
    layout.masks[i] = *mask & used;
  }
  if (layout.bits == 32 && layout.masks == std::array<std::uint32_t, 4>{}) {
    layout.masks = {0xFF0000, 0xFF00, 0xFF, 0xFF000000};
  }
  if (!make_sense(layout.masks)) return fail(ErrorCode::kCorruptImage, "the BMP's channel masks make no sense");
  return layout.header_bytes == 40 ? (alpha ? 16 : 12) : 0;
}

// How the pixels are stored. Gives how many bytes of masks follow the header.
Expected<std::size_t> read_coding(Bytes file, Layout& layout) {
  const bool core = layout.header_bytes == kCoreHeader;
  layout.bits = *read_u16(file, core ? 24 : 28, kOrder);
  const int bits = layout.bits;
  if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32)
    return fail(ErrorCode::kUnsupportedFormat, "a BMP with this number of bits a pixel cannot be read");
  const std::uint32_t compression = field(file, layout.header_bytes, 30);
  const bool has_masks = layout.header_bytes >= 40 && layout.header_bytes != kOs2Header && bits >= 16;
  if (compression == 0) {
    if (bits == 16) layout.masks = {0x7C00, 0x3E0, 0x1F, 0};
    if (bits >= 24) layout.masks = {0xFF0000, 0xFF00, 0xFF, 0};
  } else if (compression == 1 && bits == 8) {
    layout.coding = Coding::kRunLengths8;
  } else if (compression == 2 && bits == 4) {
    layout.coding = Coding::kRunLengths4;
  } else if ((compression == 3 || compression == 6) && has_masks) {
    return read_masks(file, compression == 6, layout);
  } else {
    return fail(ErrorCode::kUnsupportedFormat, "a BMP that is compressed in this way cannot be read");
  }
  return 0;
}

// Where palette and pixels lie. The pixels' place may be left out, and some writers forget to count the palette in.
Expected<void> read_places(Bytes file, std::size_t mask_bytes, Layout& layout) {
  const std::size_t header_end = kFileHeader + layout.header_bytes;
  layout.data_at = *read_u32(file, 10, kOrder);
  if (layout.bits <= 8) {
    const std::size_t most = std::size_t{1} << layout.bits;
    const std::size_t counted = field(file, layout.header_bytes, 46);
    layout.colour_bytes = layout.header_bytes == kCoreHeader ? 3 : 4;
    layout.colours = counted == 0 || counted > most ? most : counted;
    if (layout.data_at == 0 || layout.data_at == header_end)
      layout.data_at = header_end + layout.colours * layout.colour_bytes;
  } else if (layout.data_at == 0) {
    layout.data_at = header_end + mask_bytes;
  }
  if (layout.data_at < header_end || layout.data_at > file.size()) return too_short();
  layout.colours = std::min(layout.colours, (layout.data_at - header_end) / layout.colour_bytes);
  if (layout.bits <= 8 && layout.colours == 0) return fail(ErrorCode::kCorruptImage, "the BMP has no palette");
  return {};
}

}  // namespace

Expected<Layout> read_layout(Bytes file) {
  const auto header_bytes = read_u32(file, kFileHeader, kOrder);
  if (!header_bytes || file.size() - kFileHeader < *header_bytes) return too_short();
  if (!is_header(*header_bytes)) return fail(ErrorCode::kUnsupportedFormat, "a BMP with this header cannot be read");
  Layout layout{*header_bytes};
  DERMLET_CHECK(read_size(file, layout));
  DERMLET_TRY(mask_bytes, read_coding(file, layout));
  DERMLET_CHECK(read_places(file, mask_bytes, layout));
  const std::uint64_t row_bits = static_cast<std::uint64_t>(layout.width) * static_cast<std::uint64_t>(layout.bits);
  const std::uint64_t row = (row_bits + 31) / 32 * 4;
  layout.row_bytes = static_cast<std::size_t>(row);
  const auto rows = static_cast<std::uint64_t>(layout.height);
  const std::uint64_t there = file.size() - layout.data_at;
  // The last row's padding is sometimes left out. Two bytes of run lengths stand for 255 pixels: what the file cannot
  // hold is not allocated.
  const bool whole = layout.coding == Coding::kPlain ? row * (rows - 1) + (row_bits + 7) / 8 <= there
                                                     : static_cast<std::uint64_t>(layout.width) * rows / 128 <= there;
  if (!whole) return too_short();
  return layout;
}

}  // namespace dermlet::bmp
