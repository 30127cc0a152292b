// Headers of formats whose pixels are decoded elsewhere: WebP (RFC 9649), AVIF and HEIC (ISO/IEC 14496-12 boxes,
// 23008-12 items and properties). Sizes are known, and limits applied, before anybody allocates anything; orientation
// and colours are read here, so that they do not depend on who decodes.
#include <algorithm>
#include <array>

#include "exif.h"
#include "header.h"

namespace dermlet {
namespace {

using namespace std::string_view_literals;

constexpr auto kBig = ByteOrder::kBig;
constexpr auto kLittle = ByteOrder::kLittle;

// A file has one EXIF chunk; millions of them would fill memory with patches.
constexpr std::size_t kMostPatches = 1000;

tl::unexpected<Error> cut_off() { return fail(ErrorCode::kCorruptImage, "the file ends before the picture does"); }
tl::unexpected<Error> no_size() { return fail(ErrorCode::kCorruptImage, "the file holds no picture"); }

Result<void> set_size(Header& header, std::uint32_t width, std::uint32_t height) {
  if (width == 0 || height == 0) return no_size();
  header.width = static_cast<int>(std::min<std::uint32_t>(width, kMaxSide));
  header.height = static_cast<int>(std::min<std::uint32_t>(height, kMaxSide));
  return check_size(width, height);
}

// Decoders take a profile without its signature for none.
void take_profile(Header& header, Bytes file, Bytes profile) {
  constexpr std::size_t kSignature = 36;
  header.profile = profile;
  if (profile.size() > kSignature)
    header.plain.push_back({static_cast<std::size_t>(profile.data() - file.data()) + kSignature, 0});
}

// One part of a file: a WebP chunk or an ISO box.
struct Part {
  Bytes type;  // four bytes
  Bytes payload;
  std::size_t end;  // where the next one begins
};

// `at` lies inside; nothing when the part does not.
std::optional<Part> read_chunk(Bytes bytes, std::size_t at) {
  const auto size = read_u32(bytes, at + 4, kLittle);
  if (!size || *size > bytes.size() - at - 8) return {};
  return Part{slice(bytes, at, 4), slice(bytes, at + 8, *size), at + 8 + *size + (*size & 1)};
}

std::optional<Part> read_box(Bytes bytes, std::size_t at) {
  const auto size = read_u32(bytes, at, kBig);
  if (!size || !read_u32(bytes, at + 4, kBig)) return {};
  const std::size_t left = bytes.size() - at;
  std::size_t whole = *size;
  std::size_t head = 8;
  if (whole == 0) whole = left;  // to the end
  if (whole == 1) {              // 64 bits, of which a file here needs 32
    const auto low = read_u32(bytes, at + 12, kBig);
    if (!low || read_u32(bytes, at + 8, kBig) != 0u) return {};
    whole = *low;
    head = 16;
  }
  if (whole < head || whole > left) return {};
  return Part{slice(bytes, at + 4, 4), slice(bytes, at + head, whole - head), at + whole};
}

// The first box of a type; empty when there is none.
Bytes find_box(Bytes bytes, std::string_view type) {
  for (std::size_t at = 0; at < bytes.size();) {
    const auto box = read_box(bytes, at);
    if (!box) return {};
    if (starts_with(box->type, type)) return box->payload;
    at = box->end;
  }
  return {};
}

// irot and imir, in the file's order, as one EXIF orientation: `turns` quarters anticlockwise, then top and bottom
// exchanged.
struct Placement {
  int turns = 0;
  bool flipped = false;

  void turn(int quarters) { turns = (turns + (flipped ? 4 - quarters : quarters)) & 3; }
  [[nodiscard]] int orientation() const {
    constexpr std::array<std::array<int, 4>, 2> kOrientations = {{{1, 8, 3, 6}, {4, 5, 2, 7}}};
    return kOrientations[flipped][static_cast<std::size_t>(turns)];
  }
};

// The primary picture's properties, by their places in ipco from 1.
class Properties {
 public:
  explicit Properties(Bytes file, Header& header) : file_(file), header_(header) {}

  Result<void> apply(const Part& box) {
    const Bytes data = box.payload;
    if (starts_with(box.type, "ispe"sv) && data.size() >= 12)
      return set_size(header_, *read_u32(data, 4, kBig), *read_u32(data, 8, kBig));
    if (starts_with(box.type, "colr"sv)) take_colour(data);
    if (data.empty()) return {};
    if (starts_with(box.type, "irot"sv)) {
      placement_.turn(data[0] & 3);
      patch(data, 0);
    }
    if (starts_with(box.type, "imir"sv)) {
      // 0 exchanges top and bottom; 1 left and right, which is that after half a turn. There is no mirroring that does
      // nothing, but such a turn.
      if ((data[0] & 1) != 0) placement_.turn(2);
      placement_.flipped = !placement_.flipped;
      for (std::size_t i = 0; i < 4; ++i) patch(box.type.subspan(i), static_cast<std::uint8_t>("irot"[i]));
      patch(data, 0);
    }
    header_.orientation = placement_.orientation();
    return {};
  }

 private:
  void patch(Bytes at, std::uint8_t value) {
    header_.plain.push_back({static_cast<std::size_t>(at.data() - file_.data()), value});
  }

  void take_colour(Bytes data) {
    if (starts_with(data, "prof"sv) || starts_with(data, "rICC"sv)) take_profile(header_, file_, data.subspan(4));
    if (!starts_with(data, "nclx"sv) || data.size() < 10) return;
    const unsigned primaries = *read_u16(data, 4, kBig);
    const unsigned transfer = *read_u16(data, 6, kBig);
    // BT.709's, BT.601's and sRGB's curves are all shown as sRGB, as browsers do; 2 says nothing.
    const bool known =
        transfer == 1 || transfer == 2 || transfer == 6 || transfer == 13 || transfer == 14 || transfer == 15;
    header_.primaries = !known ? -1 : primaries == 2 ? 0 : primaries > 22 ? -1 : static_cast<int>(primaries);
    for (const auto [at, value] : {BytePatch{4, 0}, BytePatch{5, 1}, BytePatch{6, 0}, BytePatch{7, 13}})
      patch(data.subspan(at), value);
  }

  Bytes file_;
  Header& header_;
  Placement placement_;
};

// The associations of one item in an ipma box: pairs of bytes or single ones, the highest bit of each is set where the
// property is essential.
struct Associations {
  Bytes entries;
  bool wide = false;

  [[nodiscard]] unsigned operator[](std::size_t i) const {
    return wide ? *read_u16(entries, 2 * i, kBig) & 0x7FFFu : entries[i] & 0x7Fu;
  }
  [[nodiscard]] std::size_t size() const { return entries.size() / (wide ? 2 : 1); }
};

Associations associations_of(Bytes ipma, std::uint32_t item) {
  const std::size_t id_bytes = read_u8(ipma, 0).value_or(0) == 0 ? 2 : 4;
  const bool wide = (read_u8(ipma, 3).value_or(0) & 1) != 0;
  for (std::size_t at = 8; at < ipma.size();) {
    const auto id = id_bytes == 2 ? std::optional<std::uint32_t>(read_u16(ipma, at, kBig)) : read_u32(ipma, at, kBig);
    const auto count = read_u8(ipma, at + id_bytes);
    if (!id || !count) break;
    const std::size_t bytes = std::size_t{*count} * (wide ? 2 : 1);
    at += id_bytes + 1;
    if (*id == item) return {slice(ipma, at, bytes), wide};
    at += bytes;
  }
  return {};
}

// The box at a place in ipco, from 1.
std::optional<Part> property_at(Bytes ipco, unsigned place) {
  std::optional<Part> box;
  for (std::size_t at = 0; place > 0 && at < ipco.size(); --place) {
    box = read_box(ipco, at);
    if (!box) return {};
    at = box->end;
  }
  return place == 0 ? box : std::nullopt;
}

}  // namespace

Result<Header> read_webp_header(Bytes bytes) {
  Header header{Format::kWebp};
  const auto riff = read_u32(bytes, 4, kLittle);
  if (!riff || *riff < 4 || *riff > bytes.size() - 8) return cut_off();
  const auto first = read_chunk(bytes, 12);
  if (!first) return cut_off();
  const Bytes data = first->payload;
  Result<void> sized = no_size();
  if (starts_with(first->type, "VP8 "sv) && starts_with(data, "\x9D\x01\x2A"sv, 3) && data.size() >= 10) {
    sized = set_size(header, *read_u16(data, 6, kLittle) & 0x3FFFu, *read_u16(data, 8, kLittle) & 0x3FFFu);
  } else if (starts_with(first->type, "VP8L"sv) && starts_with(data, "\x2F"sv) && data.size() >= 5) {
    const std::uint32_t sides = *read_u32(data, 1, kLittle);
    sized = set_size(header, (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1);
  } else if (starts_with(first->type, "VP8X"sv) && data.size() >= 10) {
    sized = set_size(header, (*read_u32(data, 4, kLittle) & 0xFFFFFF) + 1, (*read_u32(data, 6, kLittle) >> 8) + 1);
  }
  if (!sized) return tl::unexpected(sized.error());
  const bool extended = starts_with(first->type, "VP8X"sv);
  for (std::size_t at = first->end; extended && at < std::size_t{*riff} + 8;) {
    const auto chunk = read_chunk(bytes, at);
    if (!chunk) return cut_off();
    if (starts_with(chunk->type, "ICCP"sv) && header.profile.empty()) take_profile(header, bytes, chunk->payload);
    if (starts_with(chunk->type, "EXIF"sv)) {
      // Some writers put JPEG's mark in front.
      header.orientation =
          read_orientation(starts_with(chunk->payload, "Exif\0\0"sv) ? chunk->payload.subspan(6) : chunk->payload);
      header.plain.push_back({at, 'X'});  // chunks of unknown kinds are passed over
      if (header.plain.size() > kMostPatches)
        return fail(ErrorCode::kCorruptImage, "the WebP has more metadata than a picture can need");
    }
    at = chunk->end;
  }
  return header;
}

Result<Header> read_heif_header(Bytes bytes, Format format) {
  Header header{format};
  Bytes meta;
  bool data_seen = false;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto box = read_box(bytes, at);
    if (!box && data_seen && !meta.empty()) break;  // phones hang things of their own behind the picture
    if (!box) return cut_off();
    data_seen = data_seen || starts_with(box->type, "mdat"sv);
    if (starts_with(box->type, "meta"sv) && meta.empty()) meta = slice(box->payload, 4);
    at = box->end;
  }
  // Small pictures may lie within the metadata.
  if (!data_seen && find_box(meta, "idat"sv).empty()) return cut_off();
  const Bytes pitm = find_box(meta, "pitm"sv);
  const Bytes iprp = find_box(meta, "iprp"sv);
  const Bytes ipco = find_box(iprp, "ipco"sv);
  const auto item = read_u8(pitm, 0) == std::uint8_t{0} ? std::optional<std::uint32_t>(read_u16(pitm, 4, kBig))
                                                        : read_u32(pitm, 4, kBig);
  if (!item) return no_size();
  const Associations own = associations_of(find_box(iprp, "ipma"sv), *item);
  Properties properties(bytes, header);
  constexpr std::size_t kMost = 32;  // a picture has about six; each is looked for from the start
  for (std::size_t i = 0; i < std::min(own.size(), kMost); ++i) {
    const auto box = property_at(ipco, own[i]);
    if (!box) continue;
    if (auto applied = properties.apply(*box); !applied) return tl::unexpected(applied.error());
  }
  if (header.width == 0) return no_size();
  return header;
}

}  // namespace dermlet
