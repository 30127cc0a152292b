#include "formats/jpeg/markers.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace dermlet::jpeg {
namespace {

std::string_view unsupported_process(std::uint8_t marker) {
  switch (marker) {
    case 0xC3:
    case 0xC7:
    case 0xCB:
    case 0xCF:
      return "a lossless JPEG";
    case 0xC5:
    case 0xC6:
    case 0xCD:
    case 0xCE:
      return "a hierarchical JPEG";
    default:
      return "an arithmetic-coded JPEG";
  }
}

}  // namespace

std::optional<std::size_t> find_marker(Bytes bytes, std::size_t at, bool restarts) {
  while (at + 1 < bytes.size()) {
    const void* found = std::memchr(bytes.data() + at, 0xFF, bytes.size() - 1 - at);
    if (found == nullptr) return {};
    at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - bytes.data());
    const std::uint8_t code = bytes[at + 1];
    if (code != 0 && code != 0xFF && (restarts || !is_restart(code))) return at;
    ++at;
  }
  return {};
}

Expected<std::optional<Segment>> next_segment(Bytes bytes, std::size_t at) {
  const auto found = find_marker(bytes, at, false);
  if (!found) return std::nullopt;
  Segment segment{bytes[*found + 1], {}, *found + 2};
  if (segment.marker == kSoi || segment.marker == kEoi || segment.marker == 0x01) return segment;
  const auto length = read_u16(bytes, segment.end, ByteOrder::kBig);
  if (!length) return std::nullopt;
  // As in libjpeg, a segment that nobody needs to read may state less than its length's own two bytes.
  if (*length < 2 && (is_application(segment.marker) || segment.marker == kCom || segment.marker == kDnl)) {
    segment.end += 2;
    return segment;
  }
  if (*length < 2) return fail(ErrorCode::kCorruptImage, "a JPEG segment has no length");
  if (*length > bytes.size() - segment.end) return std::nullopt;
  segment.payload = bytes.subspan(segment.end + 2, *length - 2u);
  segment.end += *length;
  return segment;
}

Expected<Frame> read_frame(const Segment& segment) {
  if (segment.marker > kSof2)
    return fail(ErrorCode::kUnsupportedFormat, std::string(unsupported_process(segment.marker)) + " cannot be read");
  const Bytes payload = segment.payload;
  const auto precision = read_u8(payload, 0);
  const auto height = read_u16(payload, 1, ByteOrder::kBig);
  const auto width = read_u16(payload, 3, ByteOrder::kBig);
  const auto count = read_u8(payload, 5);
  if (!count || payload.size() < 6 + 3u * *count)
    return fail(ErrorCode::kCorruptImage, "the JPEG's frame header is too short");
  if (*precision != 8)
    return fail(ErrorCode::kUnsupportedFormat,
                "a JPEG with " + std::to_string(*precision) + " bits a channel cannot be read");
  if (*height == 0)
    return fail(ErrorCode::kUnsupportedFormat, "a JPEG that states its height only at its end cannot be read");
  if (*width == 0) return fail(ErrorCode::kCorruptImage, "the JPEG has no width");
  if (*count != 1 && *count != 3 && *count != 4)
    return fail(ErrorCode::kUnsupportedFormat, "a JPEG with " + std::to_string(*count) + " channels cannot be read");
  Frame frame{segment.marker == kSof2, *width, *height, *count, {}};
  int h_max = 1;
  int v_max = 1;
  for (int i = 0; i < frame.count; ++i) {
    const Bytes entry = payload.subspan(6 + 3u * static_cast<std::size_t>(i), 3);
    FrameComponent& component = frame.components[i];
    component = {entry[0], entry[1] >> 4, entry[1] & 15, entry[2]};
    if (component.h < 1 || component.h > 4 || component.v < 1 || component.v > 4 || component.table > 3)
      return fail(ErrorCode::kCorruptImage, "the JPEG's frame header makes no sense");
    h_max = std::max(h_max, component.h);
    v_max = std::max(v_max, component.v);
  }
  for (int i = 0; i < frame.count; ++i) {
    if (h_max % frame.components[i].h != 0 || v_max % frame.components[i].v != 0)
      return fail(ErrorCode::kUnsupportedFormat, "a JPEG with this chroma sampling cannot be read");
  }
  return frame;
}

}  // namespace dermlet::jpeg
