#include "formats/exif.h"

#include <optional>

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

}  // namespace dermlet
