#include <algorithm>
#include <array>
#include <utility>

#include "formats/exif.h"
#include "formats/jpeg/jpeg.h"
#include "formats/jpeg/markers.h"

namespace dermlet {

using namespace std::string_view_literals;

namespace {

// The pieces of a JPEG's profile by their numbers, 1 to the count that each of them states.
class Pieces {
 public:
  void add(Bytes payload) {
    any_ = true;
    const std::size_t number = read_u8(payload, 0).value_or(0);
    const std::size_t count = read_u8(payload, 1).value_or(0);
    whole_ =
        whole_ && number != 0 && number <= count && (found_ == 0 || count == count_) && pieces_[number - 1].empty();
    if (!whole_) return;
    count_ = count;
    pieces_[number - 1] = payload.subspan(2);
    ++found_;
    bytes_ += payload.size() - 2;
  }

  [[nodiscard]] bool any() const { return any_; }

  // kUnreadable when one is missing, there twice, or contradicts the others, or they are too large together.
  [[nodiscard]] Expected<ColourDescription> joined() const {
    ColourDescription colours{ColourKind::kUnreadable};
    if (!whole_ || found_ != count_ || bytes_ > kMaxProfileBytes) return colours;
    DERMLET_TRY(icc, Buffer<std::uint8_t>::allocate(bytes_));
    std::uint8_t* to = icc.data();
    for (const Bytes piece : pieces_) to = std::copy(piece.begin(), piece.end(), to);
    colours.kind = ColourKind::kProfile;
    colours.profile = std::move(icc);
    return colours;
  }

 private:
  std::array<Bytes, 255> pieces_;
  std::size_t count_ = 0;
  std::size_t found_ = 0;
  std::size_t bytes_ = 0;
  bool any_ = false;
  bool whole_ = true;
};

// Adobe RGB (1998), 4.3.1.
constexpr Primaries kAdobeRgb = {{{0.3127, 0.3290}, {0.64, 0.33}, {0.21, 0.71}, {0.15, 0.06}}};
constexpr double kAdobeExponent = 563.0 / 256;

constexpr auto kProfileMark = "ICC_PROFILE\0"sv;

}  // namespace

Expected<Header> read_jpeg_header(Bytes bytes) {
  Header header{Format::kJpeg};
  std::optional<jpeg::Frame> frame;
  Pieces profile;
  bool exif_seen = false;
  bool adobe_rgb = false;
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
      adobe_rgb = states_adobe_rgb(payload.subspan(6));
    } else if (marker == jpeg::kApp2 && starts_with(payload, kProfileMark)) {
      profile.add(payload.subspan(kProfileMark.size()));
    }
  }
  if (!frame) return fail(ErrorCode::kCorruptImage, "the JPEG has picture data before its frame header");
  if (profile.any()) {
    DERMLET_TRY(colours, profile.joined());
    header.colours = std::move(colours);
  } else if (adobe_rgb && header.channels == 3) {
    header.colours = {ColourKind::kPrimaries, {}, kAdobeRgb, kAdobeExponent};
  }
  return header;
}

}  // namespace dermlet
