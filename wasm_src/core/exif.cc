#include "exif.h"

#include <algorithm>

namespace dermlet {
namespace {

constexpr std::uint16_t kOrientationTag = 0x0112;
constexpr std::size_t kEntryBytes = 12;

// A count of 1 is stored in the entry itself, left-aligned, whatever the type.
std::optional<std::uint32_t> inline_value(Bytes tiff, std::size_t entry, ByteOrder order) {
  const auto type = read_u16(tiff, entry + 2, order);
  if (!type) return {};
  switch (*type) {
    case 1: return read_u8(tiff, entry + 8);         // BYTE
    case 3: return read_u16(tiff, entry + 8, order);  // SHORT, what the standard asks for
    case 4: return read_u32(tiff, entry + 8, order);  // LONG
    default: return {};
  }
}

// Where a pixel of the upright picture lies in the stored one: start + x * step_x + y * step_y, in pixels.
struct Walk {
  std::ptrdiff_t start;
  std::ptrdiff_t step_x;
  std::ptrdiff_t step_y;
};

Walk walk_of(int orientation, std::ptrdiff_t width, std::ptrdiff_t height) {
  const std::ptrdiff_t last_x = width - 1;
  const std::ptrdiff_t last_row = (height - 1) * width;
  switch (orientation) {
    case 2: return {last_x, -1, width};
    case 3: return {last_row + last_x, -1, -width};
    case 4: return {last_row, 1, -width};
    case 5: return {0, width, 1};
    case 6: return {last_row, -width, 1};
    case 7: return {last_row + last_x, -width, -1};
    case 8: return {last_x, width, -1};
    default: return {0, 1, width};
  }
}

}  // namespace

int read_orientation(Bytes tiff) {
  ByteOrder order = ByteOrder::kLittle;
  if (starts_with(tiff, "MM")) {
    order = ByteOrder::kBig;
  } else if (!starts_with(tiff, "II")) {
    return 1;
  }
  if (read_u16(tiff, 2, order) != 42) return 1;
  const auto directory = read_u32(tiff, 4, order);
  if (!directory) return 1;
  const auto count = read_u16(tiff, *directory, order);
  if (!count) return 1;
  // Only the first directory describes the main picture; the next ones (thumbnail) are not followed, so there is no chain to loop in.
  for (std::size_t i = 0; i < *count; ++i) {
    const std::size_t entry = std::size_t{*directory} + 2 + i * kEntryBytes;
    const auto tag = read_u16(tiff, entry, order);
    if (!tag) return 1;
    if (*tag != kOrientationTag) continue;
    const auto value = inline_value(tiff, entry, order);
    return value && *value >= 1 && *value <= 8 ? static_cast<int>(*value) : 1;
  }
  return 1;
}

Box upright_box(const Box& b, double width, double height, int orientation) {
  const double from_right = width - b.x - b.width;
  const double from_bottom = height - b.y - b.height;
  switch (orientation) {
    case 2: return {from_right, b.y, b.width, b.height};
    case 3: return {from_right, from_bottom, b.width, b.height};
    case 4: return {b.x, from_bottom, b.width, b.height};
    case 5: return {b.y, b.x, b.height, b.width};
    case 6: return {from_bottom, b.x, b.height, b.width};
    case 7: return {from_bottom, from_right, b.height, b.width};
    case 8: return {b.y, from_right, b.height, b.width};
    default: return b;
  }
}

Rect stored_rect(const Rect& upright, int width, int height, int orientation) {
  // Turning by 90 degrees is undone by turning by 270; all others undo themselves. Whole pixels stay whole in double.
  const int undone = orientation == 6 ? 8 : orientation == 8 ? 6 : orientation;
  const Box box = upright_box(to_box(upright), width, height, undone);
  return {static_cast<int>(box.x), static_cast<int>(box.y), static_cast<int>(box.width), static_cast<int>(box.height)};
}

Result<Image> turn_upright(Image stored, int orientation) {
  if (orientation < 2 || orientation > 8) return stored;
  const bool swapped = swaps_sides(orientation);
  auto upright = Image::allocate(swapped ? stored.height : stored.width, swapped ? stored.width : stored.height, stored.channels);
  if (!upright) return upright;
  const Walk walk = walk_of(orientation, stored.width, stored.height);
  const std::ptrdiff_t channels = stored.channels;
  const std::uint8_t* from = stored.pixels.data();
  // Tiles keep both sides in cache when rows become columns.
  constexpr int kTile = 32;
  for (int top = 0; top < upright->height; top += kTile) {
    for (int left = 0; left < upright->width; left += kTile) {
      const int bottom = std::min(top + kTile, upright->height);
      const int right = std::min(left + kTile, upright->width);
      for (int y = top; y < bottom; ++y) {
        std::uint8_t* to = upright->row(y) + left * channels;
        for (int x = left; x < right; ++x) {
          const std::uint8_t* pixel = from + (walk.start + x * walk.step_x + y * walk.step_y) * channels;
          for (std::ptrdiff_t c = 0; c < channels; ++c) *to++ = pixel[c];
        }
      }
    }
  }
  return upright;
}

}  // namespace dermlet
