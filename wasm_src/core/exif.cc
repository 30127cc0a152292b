#include "exif.h"

#include <algorithm>

namespace dermlet {
namespace {

constexpr std::uint16_t kOrientationTag = 0x0112;
constexpr std::uint16_t kExifTag = 0x8769;              // where the directory of EXIF's own tags lies
constexpr std::uint16_t kColourSpaceTag = 0xA001;       // in that directory
constexpr std::uint16_t kInteroperabilityTag = 0xA005;  // in that directory: where the next one lies
constexpr std::uint16_t kIndexTag = 0x0001;             // in that one
constexpr std::size_t kEntryBytes = 12;

// A TIFF block's byte order and where its first directory lies. Directories are only ever looked up by name, none is
// followed to a next one: there is no chain to loop in.
struct Tiff {
  Bytes bytes;
  ByteOrder order = ByteOrder::kLittle;
  std::uint32_t first = 0;

  static std::optional<Tiff> open(Bytes bytes) {
    Tiff tiff{bytes};
    if (starts_with(bytes, "MM")) {
      tiff.order = ByteOrder::kBig;
    } else if (!starts_with(bytes, "II")) {
      return {};
    }
    const auto directory = read_u32(bytes, 4, tiff.order);
    if (read_u16(bytes, 2, tiff.order) != 42 || !directory) return {};
    tiff.first = *directory;
    return tiff;
  }

  // Where the first entry of this tag begins.
  [[nodiscard]] std::optional<std::size_t> find(std::uint32_t directory, std::uint16_t wanted) const {
    const std::size_t count = read_u16(bytes, directory, order).value_or(0);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t entry = std::size_t{directory} + 2 + i * kEntryBytes;
      const auto tag = read_u16(bytes, entry, order);
      if (!tag) return {};
      if (*tag == wanted) return entry;
    }
    return {};
  }

  // A count of 1 is stored in the entry itself, left-aligned, whatever the type.
  [[nodiscard]] std::optional<std::uint32_t> value(std::uint32_t directory, std::uint16_t tag) const {
    const auto entry = find(directory, tag);
    if (!entry) return {};
    switch (read_u16(bytes, *entry + 2, order).value_or(0)) {
      case 1:
        return read_u8(bytes, *entry + 8);  // BYTE
      case 3:
        return read_u16(bytes, *entry + 8, order);  // SHORT, what the standard asks for
      case 4:
        return read_u32(bytes, *entry + 8, order);  // LONG
      default:
        return {};
    }
  }
};

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
    case 2:
      return {last_x, -1, width};
    case 3:
      return {last_row + last_x, -1, -width};
    case 4:
      return {last_row, 1, -width};
    case 5:
      return {0, width, 1};
    case 6:
      return {last_row, -width, 1};
    case 7:
      return {last_row + last_x, -width, -1};
    case 8:
      return {last_x, width, -1};
    default:
      return {0, 1, width};
  }
}

}  // namespace

int read_orientation(Bytes tiff) {
  // Only the first directory describes the main picture; the next one is the thumbnail's.
  const auto block = Tiff::open(tiff);
  const std::uint32_t value = block ? block->value(block->first, kOrientationTag).value_or(1) : 1;
  return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
}

bool states_adobe_rgb(Bytes tiff) {
  const auto block = Tiff::open(tiff);
  const auto exif = block ? block->value(block->first, kExifTag) : std::nullopt;
  if (!exif) return false;
  if (block->value(*exif, kColourSpaceTag) == 2u) return true;
  const auto interoperability = block->value(*exif, kInteroperabilityTag);
  const auto index = interoperability ? block->find(*interoperability, kIndexTag) : std::nullopt;
  return index && starts_with(tiff, "R03", *index + 8);
}

Box upright_box(const Box& b, double width, double height, int orientation) {
  const double from_right = width - b.x - b.width;
  const double from_bottom = height - b.y - b.height;
  switch (orientation) {
    case 2:
      return {from_right, b.y, b.width, b.height};
    case 3:
      return {from_right, from_bottom, b.width, b.height};
    case 4:
      return {b.x, from_bottom, b.width, b.height};
    case 5:
      return {b.y, b.x, b.height, b.width};
    case 6:
      return {from_bottom, b.x, b.height, b.width};
    case 7:
      return {from_bottom, from_right, b.height, b.width};
    case 8:
      return {b.y, from_right, b.height, b.width};
    default:
      return b;
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
  auto upright =
      Image::allocate(swapped ? stored.height : stored.width, swapped ? stored.width : stored.height, stored.channels);
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
