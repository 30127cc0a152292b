#include "formats/exif.h"
#include "formats/jpeg/jpeg.h"
#include "formats/jpeg/markers.h"

namespace dermlet {

using namespace std::string_view_literals;

Result<Header> read_jpeg_header(Bytes bytes) {
  Header header{Format::kJpeg};
  std::optional<jpeg::Frame> frame;
  bool exif_seen = false;
  bool adobe = false;
  for (std::size_t at = 2;;) {
    DERMLET_TRY(segment, jpeg::next_segment(bytes, at));
    if (!segment) return fail(ErrorCode::kCorruptImage, "the JPEG ends before the picture begins");
    const auto& [marker, payload, end] = *segment;
    at = end;
    if (marker == jpeg::kEoi) return fail(ErrorCode::kCorruptImage, "the JPEG holds no picture");
    if (marker == jpeg::kSos) break;
    if (jpeg::is_frame(marker)) {
      if (frame) return fail(ErrorCode::kCorruptImage, "the JPEG has two frame headers");
      DERMLET_TRY(read, jpeg::read_frame(*segment));
      frame = read;
      header.width = frame->width;
      header.height = frame->height;
      header.channels = frame->count;
      DERMLET_CHECK(check_size(static_cast<std::uint64_t>(frame->width), static_cast<std::uint64_t>(frame->height)));
    } else if (marker == jpeg::kApp1 && !exif_seen && starts_with(payload, "Exif\0\0"sv)) {
      exif_seen = true;
      header.orientation = read_orientation(payload.subspan(6));
      header.adobe_rgb = states_adobe_rgb(payload.subspan(6));
    } else if (marker == jpeg::kApp14 && starts_with(payload, "Adobe"sv)) {
      adobe = true;
    }
  }
  if (!frame) return fail(ErrorCode::kCorruptImage, "the JPEG has picture data before its frame header");
  if (frame->count == 4 && !adobe)
    return fail(ErrorCode::kUnsupportedFormat,
                "a four-channel JPEG that does not say what its channels are cannot be read");
  return header;
}

}  // namespace dermlet
