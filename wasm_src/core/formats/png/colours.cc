#include <cmath>

#include "colour/codes.h"
#include "formats/png/png.h"
#include "formats/stb.h"

namespace dermlet {
namespace {

using namespace std::string_view_literals;

constexpr auto kBig = ByteOrder::kBig;

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

// cICP: primaries, transfer function, matrix and range of H.273. A PNG is RGB; that not all of its levels are used is
// for video.
ColourDescription by_codes(Bytes cicp) {
  if (cicp.size() != 4 || cicp[2] != 0 || cicp[3] != 1) return {ColourKind::kUnreadable};
  return described_by_codes(cicp[0], cicp[1]);
}

// gAMA is the file's exponent and cHRM x and y of white, red, green and blue, all in 1/100000.
ColourDescription by_numbers(const std::optional<Bytes>& gama, const std::optional<Bytes>& chrm) {
  ColourDescription colours{ColourKind::kPrimaries};
  bool srgb = true;
  for (std::size_t i = 0; chrm && i < 8; ++i) {
    const double value = read_u32(*chrm, 4 * i, kBig).value_or(0) / 1e5;
    Chromaticity& primary = colours.primaries[i / 2];
    double& place = i % 2 == 0 ? primary.x : primary.y;
    srgb = srgb && std::abs(value - place) <= 0.001;
    place = value;
  }
  if (gama) {
    const std::uint32_t gamma = read_u32(*gama, 0, kBig).value_or(0);
    const bool like_srgb = srgb && gamma >= 45'000 && gamma <= 46'000;  // about 1/2.2
    if (!like_srgb) colours.exponent = gamma == 0 ? 0 : 1e5 / gamma;
  }
  return colours;
}

}  // namespace

ColourDescription read_png_colours(Bytes file) {
  // Codes that say nothing of the primaries, or cannot be read, leave the word to the profile.
  const auto cicp = find_chunk(file, "cICP"sv);
  if (cicp) {
    auto colours = by_codes(*cicp);
    if (colours.kind != ColourKind::kUnreadable && colours.kind != ColourKind::kNone) return colours;
  }
  if (const auto iccp = find_chunk(file, "iCCP"sv)) {
    auto profile = inflated(*iccp);
    const auto kind = profile.empty() ? ColourKind::kUnreadable : ColourKind::kProfile;
    return {kind, std::move(profile)};
  }
  if (cicp && by_codes(*cicp).kind == ColourKind::kUnreadable) return {ColourKind::kUnreadable};
  if (find_chunk(file, "sRGB"sv)) return {ColourKind::kSrgb};
  const auto gama = find_chunk(file, "gAMA"sv);
  const auto chrm = find_chunk(file, "cHRM"sv);
  return gama || chrm ? by_numbers(gama, chrm) : ColourDescription();
}

}  // namespace dermlet
