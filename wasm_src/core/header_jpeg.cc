// JPEG structure (ITU-T T.81 annex B): walks every marker segment and scan up to the end-of-image marker.
#include <cstring>
#include <string>

#include "exif.h"
#include "header.h"

namespace dermlet {
namespace {

using namespace std::string_view_literals;

constexpr std::uint8_t kSof0 = 0xC0;
constexpr std::uint8_t kDht = 0xC4;
constexpr std::uint8_t kJpg = 0xC8;
constexpr std::uint8_t kDac = 0xCC;
constexpr std::uint8_t kRst0 = 0xD0;
constexpr std::uint8_t kRst7 = 0xD7;
constexpr std::uint8_t kSoi = 0xD8;
constexpr std::uint8_t kEoi = 0xD9;
constexpr std::uint8_t kSos = 0xDA;
constexpr std::uint8_t kApp1 = 0xE1;
constexpr std::uint8_t kApp14 = 0xEE;

bool is_frame(std::uint8_t marker) { return marker >= kSof0 && marker <= 0xCF && marker != kDht && marker != kJpg && marker != kDac; }

tl::unexpected<Error> cut_off() { return fail(ErrorCode::kCorruptImage, "the JPEG ends before the picture does"); }

std::string_view unsupported_process(std::uint8_t marker) {
  switch (marker) {
    case 0xC3: case 0xC7: case 0xCB: case 0xCF: return "a lossless JPEG";
    case 0xC5: case 0xC6: case 0xCD: case 0xCE: return "a hierarchical JPEG";
    default: return "an arithmetic-coded JPEG";
  }
}

// The next marker at or after `at`: skips fill bytes, entropy-coded data, stuffed zeros and restart markers.
std::optional<std::size_t> next_marker(Bytes bytes, std::size_t at) {
  while (at + 1 < bytes.size()) {
    const void* found = std::memchr(bytes.data() + at, 0xFF, bytes.size() - 1 - at);
    if (found == nullptr) return {};
    at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - bytes.data());
    const std::uint8_t code = bytes[at + 1];
    if (code != 0 && code != 0xFF && (code < kRst0 || code > kRst7)) return at;
    ++at;
  }
  return {};
}

struct Frame {
  int width = 0;
  int height = 0;
  int components = 0;
};

Result<Frame> read_frame(Bytes segment, std::uint8_t marker) {
  if (marker > 0xC2) return fail(ErrorCode::kUnsupportedFormat, std::string(unsupported_process(marker)) + " cannot be read");
  const auto precision = read_u8(segment, 0);
  const auto height = read_u16(segment, 1, ByteOrder::kBig);
  const auto width = read_u16(segment, 3, ByteOrder::kBig);
  const auto components = read_u8(segment, 5);
  if (!components || segment.size() < 6 + 3u * *components) return fail(ErrorCode::kCorruptImage, "the JPEG's frame header is too short");
  if (*precision != 8) return fail(ErrorCode::kUnsupportedFormat, "a JPEG with " + std::to_string(*precision) + " bits a channel cannot be read");
  if (*height == 0) return fail(ErrorCode::kUnsupportedFormat, "a JPEG that states its height only at its end cannot be read");
  if (*width == 0) return fail(ErrorCode::kCorruptImage, "the JPEG has no width");
  if (*components != 1 && *components != 3 && *components != 4) {
    return fail(ErrorCode::kUnsupportedFormat, "a JPEG with " + std::to_string(*components) + " channels cannot be read");
  }
  return Frame{*width, *height, *components};
}

}  // namespace

Result<Header> read_jpeg_header(Bytes bytes) {
  Header header{Format::kJpeg};
  std::optional<Frame> frame;
  bool exif_seen = false;
  bool adobe = false;
  bool scan_seen = false;
  std::size_t at = 2;
  for (;;) {
    const auto found = next_marker(bytes, at);
    if (!found) return cut_off();
    // Between segments only fill bytes may stand; a few stray ones are common in the wild and harmless, as decoders skip them too.
    const std::uint8_t marker = bytes[*found + 1];
    at = *found + 2;
    if (marker == kEoi) break;
    if (marker == kSoi || marker == 0x01) continue;
    const auto length = read_u16(bytes, at, ByteOrder::kBig);
    if (!length) return cut_off();
    if (*length < 2) return fail(ErrorCode::kCorruptImage, "a JPEG segment has no length");
    if (*length > bytes.size() - at) return cut_off();
    const Bytes segment = bytes.subspan(at + 2, *length - 2u);
    at += *length;
    if (is_frame(marker)) {
      if (frame) return fail(ErrorCode::kCorruptImage, "the JPEG has two frame headers");
      auto read = read_frame(segment, marker);
      if (!read) return tl::unexpected(read.error());
      frame = *read;
      // Limits first: nothing after this may cost time in proportion to a size that is refused anyway.
      header.width = frame->width;
      header.height = frame->height;
      if (auto within = check_size(header.width, header.height); !within) return tl::unexpected(within.error());
    } else if (marker == kApp1 && !exif_seen && starts_with(segment, "Exif\0\0"sv)) {
      exif_seen = true;
      header.orientation = read_orientation(segment.subspan(6));
    } else if (marker == kApp14 && starts_with(segment, "Adobe"sv)) {
      adobe = true;
    } else if (marker == kSos) {
      if (!frame) return fail(ErrorCode::kCorruptImage, "the JPEG has picture data before its frame header");
      scan_seen = true;
    }
  }
  if (!frame || !scan_seen) return fail(ErrorCode::kCorruptImage, "the JPEG holds no picture");
  if (frame->components == 4 && !adobe) return fail(ErrorCode::kUnsupportedFormat, "a four-channel JPEG that does not say what its channels are cannot be read");
  return header;
}

}  // namespace dermlet
