#include <algorithm>
#include <array>
#include <optional>

#include "colour/codes.h"
#include "formats/foreign/foreign.h"
#include "formats/foreign/parts.h"

namespace dermlet {
namespace {

using namespace foreign;
using namespace std::string_view_literals;

constexpr auto kBig = ByteOrder::kBig;

// `at` lies inside; nothing when the box does not.
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
    return kOrientations[flipped ? 1 : 0][static_cast<std::size_t>(turns)];
  }
};

// The primary picture's properties, by their places in ipco from 1.
class Properties {
 public:
  explicit Properties(Bytes file, Header& header) : file_(file), header_(header) {}

  Expected<void> apply(const Part& box) {
    const Bytes data = box.payload;
    if (starts_with(box.type, "ispe"sv) && data.size() >= 12)
      return set_size(header_, *read_u32(data, 4, kBig), *read_u32(data, 8, kBig));
    if (starts_with(box.type, "colr"sv)) return take_colours(data);
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
    header_.neutralising.push_back({static_cast<std::size_t>(at.data() - file_.data()), value});
  }

  Expected<void> take_colours(Bytes data) {
    if (starts_with(data, "prof"sv) || starts_with(data, "rICC"sv)) {
      profiled_ = profiled_ || data.size() > 4;
      return set_profile(header_, file_, data.subspan(4));
    }
    if (!starts_with(data, "nclx"sv) || data.size() < 10) return {};
    if (!profiled_) header_.colours = described_by_codes(*read_u16(data, 4, kBig), *read_u16(data, 6, kBig));
    for (const auto [at, value] : {BytePatch{4, 0}, BytePatch{5, 1}, BytePatch{6, 0}, BytePatch{7, 13}})
      patch(data.subspan(at), value);
    return {};
  }

  Bytes file_;
  Header& header_;
  bool profiled_ = false;  // a profile takes precedence over codes, whichever comes first
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

Expected<Header> read_heif_header(Bytes bytes, Format format) {
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
  if (!item) return no_picture();
  const Associations own = associations_of(find_box(iprp, "ipma"sv), *item);
  Properties properties(bytes, header);
  constexpr std::size_t kMost = 32;  // a picture has about six; each is looked for from the start
  for (std::size_t i = 0; i < std::min(own.size(), kMost); ++i) {
    const auto box = property_at(ipco, own[i]);
    if (!box) continue;
    DERMLET_CHECK(properties.apply(*box));
  }
  if (header.width == 0) return no_picture();
  return header;
}

}  // namespace dermlet
