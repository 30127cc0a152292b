#include <optional>
#include <utility>

#include "formats/exif.h"
#include "formats/foreign/foreign.h"
#include "formats/foreign/parts.h"

namespace dermlet {
namespace {

using namespace foreign;
using namespace std::string_view_literals;

constexpr auto kLittle = ByteOrder::kLittle;

// A file has one EXIF chunk; millions of them would fill memory with patches.
constexpr std::size_t kMostPatches = 1000;

// `at` lies inside; nothing when the chunk does not.
std::optional<Part> read_chunk(Bytes bytes, std::size_t at) {
  const auto size = read_u32(bytes, at + 4, kLittle);
  if (!size || *size > bytes.size() - at - 8) return {};
  return Part{slice(bytes, at, 4), slice(bytes, at + 8, *size), at + 8 + *size + (*size & 1)};
}

// Takes an ICC profile, and has decoders take it for none: one without its signature is. An empty one says nothing.
// Errors: kImageTooLarge (no memory).
Expected<void> set_profile(Header& header, Bytes file, Bytes profile) {
  constexpr std::size_t kSignature = 36;
  if (profile.empty()) return {};
  DERMLET_TRY(colours, described_by_profile(profile));
  header.colours = std::move(colours);
  if (profile.size() > kSignature)
    header.neutralising.push_back({static_cast<std::size_t>(profile.data() - file.data()) + kSignature, 0});
  return {};
}

}  // namespace

Expected<Header> read_webp_header(Bytes bytes) {
  Header header{Format::kWebp};
  const auto riff = read_u32(bytes, 4, kLittle);
  if (!riff || *riff < 4 || *riff > bytes.size() - 8) return cut_off();
  const auto first = read_chunk(bytes, 12);
  if (!first) return cut_off();
  const Bytes data = first->payload;
  Expected<void> sized = no_picture();
  if (starts_with(first->type, "VP8 "sv) && starts_with(data, "\x9D\x01\x2A"sv, 3) && data.size() >= 10) {
    sized = set_size(header, *read_u16(data, 6, kLittle) & 0x3FFFu, *read_u16(data, 8, kLittle) & 0x3FFFu);
  } else if (starts_with(first->type, "VP8L"sv) && starts_with(data, "\x2F"sv) && data.size() >= 5) {
    const std::uint32_t sides = *read_u32(data, 1, kLittle);
    sized = set_size(header, (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1);
  } else if (starts_with(first->type, "VP8X"sv) && data.size() >= 10) {
    sized = set_size(header, (*read_u32(data, 4, kLittle) & 0xFFFFFF) + 1, (*read_u32(data, 6, kLittle) >> 8) + 1);
  }
  DERMLET_CHECK(sized);
  const bool extended = starts_with(first->type, "VP8X"sv);
  for (std::size_t at = first->end; extended && at < std::size_t{*riff} + 8;) {
    const auto chunk = read_chunk(bytes, at);
    if (!chunk) return cut_off();
    if (starts_with(chunk->type, "ICCP"sv) && header.colours.kind == ColourKind::kNone)
      DERMLET_CHECK(set_profile(header, bytes, chunk->payload));
    if (starts_with(chunk->type, "EXIF"sv)) {
      // Some writers put JPEG's mark in front.
      header.orientation =
          read_orientation(starts_with(chunk->payload, "Exif\0\0"sv) ? chunk->payload.subspan(6) : chunk->payload);
      header.neutralising.push_back({at, 'X'});  // chunks of unknown kinds are passed over
      if (header.neutralising.size() > kMostPatches)
        return fail(ErrorCode::kCorruptImage, "the WebP has more metadata than a picture can need");
    }
    at = chunk->end;
  }
  return header;
}

}  // namespace dermlet
