#include "colour/colour.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "formats/jpeg/markers.h"
#include "formats/png/png.h"
#include "formats/stb.h"

namespace dermlet {
namespace {

using namespace std::string_view_literals;

constexpr auto kBig = ByteOrder::kBig;

ColourSource use(const Profile& profile, Converter& converter) {
  if (!converter.set(profile)) return ColourSource::kUnsupportedProfile;
  return converter.changes_nothing() ? ColourSource::kSrgb : ColourSource::kConverted;
}

// A grey picture shown by an RGB profile is three equal values; a grey profile says nothing about colours, and none of
// those read describes inks.
ColourSource use(Bytes icc, const Header& header, Converter& converter) {
  Profile profile;
  if (header.channels == 4 || !read_profile(icc, profile) || (profile.grey && header.channels != 1))
    return ColourSource::kUnsupportedProfile;
  return use(profile, converter);
}

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

  // Empty when one is missing, there twice, or contradicts the others, or they are too large together.
  [[nodiscard]] Buffer<std::uint8_t> joined() const {
    if (!whole_ || found_ != count_ || bytes_ > kMaxProfileBytes) return {};
    auto icc = Buffer<std::uint8_t>::allocate(bytes_);
    if (!icc) return {};
    std::uint8_t* to = icc->data();
    for (const Bytes piece : pieces_) {
      std::copy(piece.begin(), piece.end(), to);
      to += piece.size();
    }
    return std::move(*icc);
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

ColourSource read_jpeg_colour(Bytes file, const Header& header, Converter& converter) {
  constexpr auto kMark = "ICC_PROFILE\0"sv;
  Pieces pieces;
  for (std::size_t at = 2;;) {
    const auto segment = jpeg::next_segment(file, at);
    if (!segment || !*segment || (*segment)->marker == jpeg::kSos) break;
    if ((*segment)->marker == jpeg::kApp2 && starts_with((*segment)->payload, kMark))
      pieces.add((*segment)->payload.subspan(kMark.size()));
    at = (*segment)->end;
  }
  if (pieces.any()) return use(std::as_const(pieces).joined().span(), header, converter);
  Profile profile;
  if (header.adobe_rgb && header.channels == 3 && make_profile(kAdobeRgb, kAdobeExponent, profile))
    return use(profile, converter);
  return ColourSource::kAssumedSrgb;
}

// iCCP: a name of 1-79 bytes, its end, the compression method (0 is the only one), a zlib stream.
Buffer<std::uint8_t> inflated(Bytes chunk) {
  std::size_t end = 0;
  while (end < chunk.size() && chunk[end] != 0) ++end;
  if (end == 0 || end >= 80 || read_u16(chunk, end, kBig) != 0) return {};
  return stb_inflate(chunk.subspan(end + 2), kMaxProfileBytes);
}

// What a chunk of this kind before the picture's data holds; nothing where it does not match its checksum.
std::optional<Bytes> find_chunk(Bytes file, std::string_view kind) {
  const auto chunk = find_png_chunk(file, kind, "IDAT"sv);
  if (!chunk) return {};
  return chunk->intact() ? chunk->data() : Bytes();
}

// gAMA is the file's exponent and cHRM x and y of white, red, green and blue, all in 1/100000.
ColourSource use_numbers(const std::optional<Bytes>& gama, const std::optional<Bytes>& chrm, Converter& converter) {
  Primaries primaries = kSrgbPrimaries;
  bool srgb = true;
  for (std::size_t i = 0; chrm && i < 8; ++i) {
    const double value = read_u32(*chrm, 4 * i, kBig).value_or(0) / 1e5;
    double& place = i % 2 == 0 ? primaries[i / 2].x : primaries[i / 2].y;
    srgb = srgb && std::abs(value - place) <= 0.001;
    place = value;
  }
  std::optional<double> exponent;
  if (gama) {
    const std::uint32_t gamma = read_u32(*gama, 0, kBig).value_or(0);
    const bool like_srgb = srgb && gamma >= 45'000 && gamma <= 46'000;  // about 1/2.2
    if (!like_srgb) exponent = gamma == 0 ? 0 : 1e5 / gamma;
  }
  Profile profile;
  return make_profile(primaries, exponent, profile) ? use(profile, converter) : ColourSource::kUnsupportedProfile;
}

ColourSource read_png_colour(Bytes file, const Header& header, Converter& converter) {
  // BT.709's primaries, sRGB's curve, RGB, all levels used.
  const auto cicp = find_chunk(file, "cICP"sv);
  if (cicp && starts_with(*cicp, "\1\15\0\1"sv)) return ColourSource::kSrgb;
  if (const auto iccp = find_chunk(file, "iCCP"sv)) return use(inflated(*iccp).span(), header, converter);
  if (cicp) return ColourSource::kUnsupportedProfile;
  if (find_chunk(file, "sRGB"sv)) return ColourSource::kSrgb;
  const auto gama = find_chunk(file, "gAMA"sv);
  const auto chrm = find_chunk(file, "cHRM"sv);
  return gama || chrm ? use_numbers(gama, chrm, converter) : ColourSource::kAssumedSrgb;
}

// BITMAPV5HEADER says in a word what the colours are, spelt backwards: sRGB, or a profile in this file or another.
ColourSource read_bmp_colour(Bytes file) {
  if (read_u32(file, 14, ByteOrder::kLittle).value_or(0) < 124) return ColourSource::kAssumedSrgb;
  if (starts_with(file, "BGRs"sv, 70)) return ColourSource::kSrgb;
  return starts_with(file, "DEBM"sv, 70) || starts_with(file, "KNIL"sv, 70) ? ColourSource::kUnsupportedProfile
                                                                            : ColourSource::kAssumedSrgb;
}

// SMPTE EG 432-1, what H.273 calls 12.
constexpr Primaries kDisplayP3 = {{{0.3127, 0.3290}, {0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}}};

ColourSource read_foreign_colour(const Header& header, Converter& converter) {
  if (!header.profile.empty())
    return header.profile.size() > kMaxProfileBytes ? ColourSource::kUnsupportedProfile
                                                    : use(header.profile, header, converter);
  Profile profile;
  switch (header.primaries) {
    case 0:
      return ColourSource::kAssumedSrgb;
    case 1:
      return ColourSource::kSrgb;
    case 12:
      return make_profile(kDisplayP3, {}, profile) ? use(profile, converter) : ColourSource::kUnsupportedProfile;
    default:
      return ColourSource::kUnsupportedProfile;
  }
}

}  // namespace

ColourSource read_colour(Bytes file, const Header& header, Converter& converter) {
  switch (header.format) {
    case Format::kJpeg:
      return read_jpeg_colour(file, header, converter);
    case Format::kPng:
      return read_png_colour(file, header, converter);
    case Format::kBmp:
      return read_bmp_colour(file);
    default:
      return read_foreign_colour(header, converter);
  }
  return ColourSource::kAssumedSrgb;
}

}  // namespace dermlet
