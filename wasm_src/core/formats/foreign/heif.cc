#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "colour/codes.h"
#include "formats/foreign/boxes.h"
#include "formats/foreign/coded.h"
#include "formats/foreign/foreign.h"

namespace dermlet {
namespace {

using namespace foreign;
using namespace std::string_view_literals;

constexpr auto kBig = ByteOrder::kBig;

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

// ipco's properties, which items name by their places from 1.
class Properties {
 public:
  explicit Properties(Bytes ipco) : ipco_(ipco) {
    constexpr std::size_t kMost = 0x7FFF;  // a place has 15 bits
    std::size_t at = 0;
    for (auto box = read_box(ipco, 0); box && places_.size() < kMost; box = read_box(ipco, at)) {
      places_.push_back(static_cast<std::uint32_t>(at));
      at = box->end;
      if (at >= ipco.size()) break;
    }
  }

  [[nodiscard]] std::size_t size() const { return places_.size(); }
  [[nodiscard]] std::optional<Part> operator[](unsigned place) const {
    if (place == 0 || place > places_.size()) return {};
    return read_box(ipco_, places_[place - 1]);
  }

 private:
  Bytes ipco_;
  std::vector<std::uint32_t> places_;
};

// Places in ipco of an item's properties.
struct Item {
  std::uint32_t id = 0;
  std::vector<unsigned> properties{};
};

constexpr std::size_t kMostProperties = 32;  // of an item, which has about six
constexpr std::size_t kMostSources = 8;      // of a derived picture that are asked for what it does not say itself
constexpr int kMostDerivations = 4;          // of a picture from one derived itself: a grid, and what turns or crops it
constexpr std::size_t kMostEntries = 1 << 17;  // of ipma boxes together: a grid has at most 65,536 tiles

// A number of an item: 16 bits, or 32 in later versions of a box.
std::optional<std::uint32_t> read_id(Bytes bytes, std::size_t at, bool wide) {
  return wide ? read_u32(bytes, at, kBig) : std::optional<std::uint32_t>(read_u16(bytes, at, kBig));
}

// Fills in the items' properties from all ipma boxes: a file may have several, of different versions.
void associate(Bytes iprp, std::vector<Item>& items) {
  std::size_t seen = 0;
  for (std::size_t next = 0; next < iprp.size();) {
    const auto box = read_box(iprp, next);
    if (!box) return;
    next = box->end;
    const Bytes ipma = box->payload;
    if (++seen > kMostEntries) return;
    if (!starts_with(box->type, "ipma"sv)) continue;
    const bool wide_ids = read_u8(ipma, 0).value_or(0) != 0;
    // Places are pairs of bytes or single ones, the highest bit of each is set where the property is essential.
    const std::size_t width = (read_u8(ipma, 3).value_or(0) & 1) != 0 ? 2 : 1;
    for (std::size_t at = 8; at < ipma.size() && ++seen <= kMostEntries;) {
      const auto id = read_id(ipma, at, wide_ids);
      at += wide_ids ? 4 : 2;
      const auto count = read_u8(ipma, at);
      if (!id || !count) break;
      const Bytes entries = slice(ipma, at + 1, *count * width);
      at += 1 + *count * width;
      const auto item = std::find_if(items.begin(), items.end(), [&](const Item& one) { return one.id == *id; });
      if (item == items.end()) continue;
      for (std::size_t i = 0; i + width <= entries.size() && item->properties.size() < kMostProperties; i += width)
        item->properties.push_back(width == 2 ? *read_u16(entries, i, kBig) & 0x7FFFu : entries[i] & 0x7Fu);
    }
  }
}

// The first items that one is derived from (ISO/IEC 23008-12, 6.6): the tiles of a grid, or what is turned or cropped.
std::vector<Item> sources_of(Bytes iref, std::uint32_t item) {
  std::vector<Item> sources;
  const bool wide = read_u8(iref, 0).value_or(0) != 0;
  std::size_t at = 4;
  for (std::size_t i = 0; i < kMostEntries && at < iref.size(); ++i) {
    const auto box = read_box(iref, at);
    if (!box) break;
    at = box->end;
    if (!starts_with(box->type, "dimg"sv) || read_id(box->payload, 0, wide) != item) continue;
    const std::size_t width = wide ? 4 : 2;
    const std::size_t count = read_u16(box->payload, width, kBig).value_or(0);
    for (std::size_t k = 0; k < std::min(count, kMostSources); ++k) {
      if (const auto id = read_id(box->payload, width + 2 + k * width, wide)) sources.push_back({*id});
    }
    break;
  }
  return sources;
}

void rename(Header& header, std::size_t at, std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i)
    header.neutralising.push_back({at + i, static_cast<std::uint8_t>(name[i])});
}

// Brands of image sequences, and those of the pictures that lie beside them.
constexpr std::array kStills = {std::pair{"avis"sv, "avif"sv}, std::pair{"hevc"sv, "heic"sv},
                                std::pair{"hevx"sv, "heix"sv}, std::pair{"msf1"sv, "mif1"sv}};

// `at` is where ftyp's payload lies: a brand, a version, more brands.
void name_stills(Header& header, std::size_t at, Bytes ftyp) {
  constexpr std::size_t kMost = 64;
  for (std::size_t i = 0; i + 4 <= std::min(ftyp.size(), kMost); i += 4) {
    for (const auto& [sequence, still] : kStills) {
      if (i != 4 && starts_with(ftyp, sequence, i)) rename(header, at + i, still);
    }
  }
}

// What the primary picture says, and the changes that make a copy of the file say it no longer.
class Reader {
 public:
  Reader(Bytes file, Bytes meta, Header& header)
      : file_(file),
        iprp_(find_box(meta, "iprp"sv)),
        iref_(find_box(meta, "iref"sv)),
        properties_(find_box(iprp_, "ipco"sv)),
        header_(header) {}

  Expected<void> read(std::uint32_t primary) {
    std::vector<Item> items = {{primary}};
    associate(iprp_, items);
    for (const unsigned place : items[0].properties) {
      if (const auto box = properties_[place]) DERMLET_CHECK(apply(*box));
    }
    DERMLET_CHECK(take_colours(items));
    // A grid without colours of its own has those of its tiles, as early iPhones, Canon's and Sony's cameras write it.
    // Turns of tiles are another matter: those are each tile's, and whoever decodes makes them.
    for (int i = 0; i < kMostDerivations && header_.colours.kind == ColourKind::kNone; ++i) {
      items = sources_of(iref_, items[0].id);
      if (items.empty()) break;
      associate(iprp_, items);
      DERMLET_CHECK(take_colours(items));
    }
    neutralise_colours();
    // Decoders go by the brands, and where these name no coding, some by nothing else.
    if (!format_of_brands(file_)) {
      const std::string_view brand = header_.format == Format::kAvif ? "avif" : "heic";
      for (std::size_t i = 0; i < brand.size(); ++i) patch(file_.subspan(8 + i), static_cast<std::uint8_t>(brand[i]));
    }
    return {};
  }

 private:
  void patch(Bytes at, std::uint8_t value) {
    header_.neutralising.push_back({static_cast<std::size_t>(at.data() - file_.data()), value});
  }

  Expected<void> apply(const Part& box) {
    const Bytes data = box.payload;
    if (starts_with(box.type, "ispe"sv) && data.size() >= 12)
      return set_size(header_, *read_u32(data, 4, kBig), *read_u32(data, 8, kBig));
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

  // Of the first of the items that says anything; a profile takes precedence over codes, whichever comes first.
  Expected<void> take_colours(const std::vector<Item>& items) {
    for (const Item& item : items) {
      for (const unsigned place : item.properties) {
        const auto box = properties_[place];
        if (!box || !starts_with(box->type, "colr"sv)) continue;
        const Bytes data = box->payload;
        if (is_profile(data) && data.size() > 4) {
          DERMLET_TRY(colours, described_by_profile(data.subspan(4)));
          header_.colours = std::move(colours);
          return {};
        }
        if (starts_with(data, "nclx"sv) && data.size() >= 8)
          header_.colours = described_by_codes(*read_u16(data, 4, kBig), *read_u16(data, 6, kBig));
      }
      if (header_.colours.kind != ColourKind::kNone) return {};
    }
    return {};
  }

  // Of every item, as tiles are decoded by what they themselves say. A profile without its signature is none.
  void neutralise_colours() {
    for (unsigned place = 1; place <= properties_.size(); ++place) {
      const auto box = properties_[place];
      if (!box || !starts_with(box->type, "colr"sv)) continue;
      const Bytes data = box->payload;
      constexpr std::size_t kSignature = 4 + 36;
      if (is_profile(data) && data.size() > kSignature) patch(data.subspan(kSignature), 0);
      if (!starts_with(data, "nclx"sv) || data.size() < 10) continue;
      for (const auto [at, value] : {BytePatch{4, 0}, BytePatch{5, 1}, BytePatch{6, 0}, BytePatch{7, 13}})
        patch(data.subspan(at), value);
    }
  }

  static bool is_profile(Bytes colr) { return starts_with(colr, "prof"sv) || starts_with(colr, "rICC"sv); }

  Bytes file_;
  Bytes iprp_;
  Bytes iref_;
  Properties properties_;
  Header& header_;
  Placement placement_;
};

}  // namespace

Expected<Header> read_heif_header(Bytes bytes, Format format) {
  Header header{format};
  Bytes meta;
  bool data_seen = false;
  bool animated = false;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto box = read_box(bytes, at);
    if (!box && data_seen && !meta.empty()) break;  // phones hang things of their own behind the picture
    if (!box) return cut_off();
    data_seen = data_seen || starts_with(box->type, "mdat"sv);
    if (starts_with(box->type, "meta"sv) && meta.empty()) meta = slice(box->payload, 4);
    // An animation beside the picture, whose frames are not checked: decoders get none.
    if (starts_with(box->type, "moov"sv)) {
      if (std::exchange(animated, true)) return no_picture();  // there is one at most
      rename(header, at + 4, "free"sv);
    }
    if (at == 0) name_stills(header, static_cast<std::size_t>(box->payload.data() - bytes.data()), box->payload);
    at = box->end;
  }
  // Small pictures may lie within the metadata.
  if (!data_seen && find_box(meta, "idat"sv).empty()) return cut_off();
  const Bytes pitm = find_box(meta, "pitm"sv);
  const auto item = read_id(pitm, 4, read_u8(pitm, 0).value_or(0) != 0);
  if (!item) return no_picture();
  DERMLET_CHECK(Reader(bytes, meta, header).read(*item));
  if (header.width == 0) return no_picture();
  DERMLET_CHECK(check_coded_sizes(bytes, meta));
  return header;
}

}  // namespace dermlet
