#include "formats/foreign/coded.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "formats/foreign/boxes.h"
#include "formats/foreign/parts.h"

namespace dermlet::foreign {
namespace {

using namespace std::string_view_literals;

// Items, extents and coded units together: a phone's picture of 48 million pixels has about 200 tiles, of a few each.
constexpr int kMostSteps = 1 << 16;

// A sequence's header is read bit by bit.
constexpr int kStepsOfHeader = 16;

// A sequence's header needs at most about 400 bytes: 32 operating points of 89 bits, or 8 sub-layers of 96.
constexpr std::size_t kMostHeader = 512;

tl::unexpected<Error> too_many() {
  return fail(ErrorCode::kCorruptImage, "the file has more parts than a picture can need");
}

// Counts what is walked, so that no file takes long.
class Steps {
 public:
  [[nodiscard]] bool left(int taken = 1) { return (taken_ += taken) <= kMostSteps; }

 private:
  int taken_ = 0;
};

// Bits, most significant first; zeros past the end, where `inside` is false.
class Bits {
 public:
  explicit Bits(Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] bool inside() const { return at_ <= bytes_.size() * 8; }
  void skip(unsigned count) { at_ += count; }
  std::uint32_t read(unsigned count) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < count; ++i, ++at_) {
      const unsigned byte = read_u8(bytes_, at_ / 8).value_or(0);
      value = value << 1 | (byte >> (7 - at_ % 8) & 1);
    }
    return value;
  }
  bool flag() { return read(1) != 0; }
  // H.265's ue(v), and AV1's uvlc(), which is the same.
  std::uint32_t exponential() {
    unsigned zeros = 0;
    while (inside() && !flag()) ++zeros;
    return zeros < 32 ? (std::uint32_t{1} << zeros) - 1 + read(zeros) : UINT32_MAX;
  }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

// Errors: kImageTooLarge.
Expected<void> check(const Bits& bits, std::uint64_t width, std::uint64_t height) {
  if (!bits.inside()) return {};  // cut off: no decoder reads it either
  return check_size(width, height);
}

// What a sequence's header says that its frames' headers cannot be read without.
struct Av1Sequence {
  bool reduced = true;  // frames say nothing of their size
  unsigned width_bits = 0;
  unsigned height_bits = 0;
  unsigned presentation_bits = 0;  // of a time before a frame that is shown
  unsigned screen_content = 2;     // 2: each frame says it
  unsigned integer_motion = 2;     // likewise
  unsigned id_bits = 0;            // of a frame's number
};

// What follows the sizes of a sequence that is not reduced.
void read_tools(Bits& bits, Av1Sequence& sequence) {
  if (bits.flag()) {
    const unsigned difference = bits.read(4) + 2;
    sequence.id_bits = bits.read(3) + difference + 1;
  }
  bits.skip(3 + 4);
  if (bits.flag()) bits.skip(2);
  if (!bits.flag()) sequence.screen_content = bits.read(1);
  if (sequence.screen_content > 0 && !bits.flag()) sequence.integer_motion = bits.read(1);
}

Expected<Av1Sequence> check_av1_sequence(Bytes header) {
  Bits bits(header);
  Av1Sequence sequence;
  bits.skip(3 + 1);  // profile, still picture
  sequence.reduced = bits.flag();
  if (sequence.reduced) {
    bits.skip(5);  // level
  } else {
    bool decoder_model = false;
    unsigned delay = 0;
    if (bits.flag()) {  // timing
      bits.skip(64);
      const bool equal_intervals = bits.flag();
      if (equal_intervals) (void)bits.exponential();
      decoder_model = bits.flag();
      if (decoder_model) {
        delay = bits.read(5) + 1;
        bits.skip(32 + 5);
        const unsigned presentation = bits.read(5) + 1;
        if (!equal_intervals) sequence.presentation_bits = presentation;
      }
    }
    const bool display_delay = bits.flag();
    const std::uint32_t points = bits.read(5) + 1;
    for (std::uint32_t i = 0; i < points; ++i) {
      bits.skip(12);
      if (bits.read(5) > 7) bits.skip(1);
      if (decoder_model && bits.flag()) bits.skip(2 * delay + 1);
      if (display_delay && bits.flag()) bits.skip(4);
    }
  }
  sequence.width_bits = bits.read(4) + 1;
  sequence.height_bits = bits.read(4) + 1;
  const std::uint64_t width = std::uint64_t{bits.read(sequence.width_bits)} + 1;
  const std::uint64_t height = std::uint64_t{bits.read(sequence.height_bits)} + 1;
  DERMLET_CHECK(check(bits, width, height));
  if (!sequence.reduced) read_tools(bits, sequence);
  return sequence;
}

// A frame may have a size of its own (5.9.5), up to what its fields can hold: no still picture needs that, but those of
// several layers, whose fields are as short as they may be.
Expected<void> check_av1_frame(const Av1Sequence& sequence, Bytes header) {
  if (sequence.reduced) return {};
  constexpr unsigned kKey = 0;
  constexpr unsigned kSwitch = 3;
  Bits bits(header);
  if (bits.flag()) return {};  // one that was decoded before
  const unsigned type = bits.read(2);
  const bool shown = bits.flag();
  bits.skip(shown ? sequence.presentation_bits : 1);
  if (type != kSwitch && !(type == kKey && shown)) bits.skip(1);
  bits.skip(1);
  const bool screen_content = sequence.screen_content == 2 ? bits.flag() : sequence.screen_content == 1;
  if (screen_content && sequence.integer_motion == 2) bits.skip(1);
  bits.skip(sequence.id_bits);
  if (type != kSwitch && !bits.flag()) return {};
  return check(bits, std::uint64_t{1} << sequence.width_bits, std::uint64_t{1} << sequence.height_bits);
}

// By a unit's first byte.
constexpr bool is_hevc_sequence(unsigned head) { return (head >> 1 & 0x3F) == 33; }

// `unit` is what follows its first byte, the second of its header included.
Expected<void> check_hevc_sequence(Bytes unit) {
  // A zero byte pair is followed by a 3 that is no data (7.4.2).
  std::array<std::uint8_t, kMostHeader> plain{};
  std::size_t count = 0;
  std::size_t zeros = 0;
  for (const std::uint8_t byte : slice(unit, 1)) {
    if (count == plain.size()) break;
    if (zeros >= 2 && byte == 3) {
      zeros = 0;
      continue;
    }
    zeros = byte == 0 ? zeros + 1 : 0;
    plain[count++] = byte;
  }
  Bits bits(Bytes(plain).first(count));
  bits.skip(4);
  const unsigned sub_layers = bits.read(3);
  bits.skip(1 + 88 + 8);
  unsigned more = 0;
  for (unsigned i = 0; i < sub_layers; ++i) {
    more += bits.flag() ? 88u : 0u;
    more += bits.flag() ? 8u : 0u;
  }
  if (sub_layers > 0) more += 2 * (8 - sub_layers);
  bits.skip(more);
  (void)bits.exponential();
  if (bits.exponential() == 3) bits.skip(1);
  const std::uint64_t width = bits.exponential();
  const std::uint64_t height = bits.exponential();
  return check(bits, width, height);
}

// Numbers of bytes that a field of iloc may have.
std::optional<std::uint64_t> read_sized(Bytes bytes, std::size_t& at, unsigned size) {
  if (size == 0) return 0;
  const auto high = size == 8 ? read_u32(bytes, at, kBig) : std::optional<std::uint32_t>(0);
  const auto low = read_u32(bytes, at + (size == 8 ? 4 : 0), kBig);
  at += size;
  if (!high || !low || (size != 4 && size != 8)) return {};
  return std::uint64_t{*high} << 32 | *low;
}

// An item's data, which may lie in several places, as one run of bytes.
class ItemData {
 public:
  void add(Bytes extent) {
    if (extent.empty()) return;
    left_ += extent.size();
    extents_.push_back(extent);
  }

  [[nodiscard]] std::size_t left() const { return left_; }

  std::optional<std::uint8_t> next() {
    if (left_ == 0) return {};
    const std::uint8_t byte = extents_[which_][at_];
    skip(1);
    return byte;
  }

  void skip(std::uint64_t count) {
    for (count = std::min<std::uint64_t>(count, left_); count > 0;) {
      const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(count, extents_[which_].size() - at_));
      at_ += step;
      left_ -= step;
      count -= step;
      if (at_ == extents_[which_].size()) {
        ++which_;
        at_ = 0;
      }
    }
  }

  // The next `length` bytes, of which it gives as many as a header needs.
  Bytes take(std::uint64_t length) {
    length = std::min<std::uint64_t>(length, left_);
    const auto kept = static_cast<std::size_t>(std::min<std::uint64_t>(length, kMostHeader));
    for (std::size_t i = 0; i < kept; ++i) header_[i] = *next();
    skip(length - kept);
    return Bytes(header_).first(kept);
  }

 private:
  std::vector<Bytes> extents_;
  std::size_t which_ = 0;
  std::size_t at_ = 0;
  std::size_t left_ = 0;
  std::array<std::uint8_t, kMostHeader> header_{};
};

Expected<void> check_av1(ItemData& data, Steps& steps) {
  constexpr unsigned kSequence = 1;
  constexpr unsigned kFrameHeader = 3;
  constexpr unsigned kFrame = 6;
  Av1Sequence sequence;
  while (const auto head = data.next()) {
    if (!steps.left()) return too_many();
    if ((*head & 4) != 0) data.skip(1);
    std::uint64_t size = data.left();
    if ((*head & 2) != 0) {
      size = 0;
      for (unsigned i = 0; i < 8; ++i) {
        const unsigned byte = data.next().value_or(0);
        size |= std::uint64_t{byte & 0x7F} << (7 * i);
        if ((byte & 0x80) == 0) break;
      }
    }
    const unsigned type = *head >> 3 & 0xF;
    if (type != kSequence && type != kFrameHeader && type != kFrame) {
      data.skip(size);
      continue;
    }
    if (!steps.left(kStepsOfHeader)) return too_many();
    const Bytes unit = data.take(size);
    if (type == kSequence) {
      DERMLET_TRY(read, check_av1_sequence(unit));
      sequence = read;
    } else {
      DERMLET_CHECK(check_av1_frame(sequence, unit));
    }
  }
  return {};
}

Expected<void> check_hevc(ItemData& data, Steps& steps) {
  while (data.left() > 4) {
    if (!steps.left()) return too_many();
    std::uint32_t size = 0;
    for (int i = 0; i < 4; ++i) size = size << 8 | *data.next();
    if (size == 0) continue;
    if (!is_hevc_sequence(*data.next())) {
      data.skip(size - 1);
      continue;
    }
    if (!steps.left(kStepsOfHeader)) return too_many();
    DERMLET_CHECK(check_hevc_sequence(data.take(size - 1)));
  }
  return {};
}

// Of hvcC's payload.
Expected<void> check_configuration(Bytes hvcc, Steps& steps) {
  std::size_t at = 23;
  for (unsigned arrays = read_u8(hvcc, 22).value_or(0); arrays > 0; --arrays) {
    const unsigned units = read_u16(hvcc, at + 1, kBig).value_or(0);
    at += 3;
    for (unsigned i = 0; i < units; ++i) {
      const auto size = read_u16(hvcc, at, kBig);
      if (!size) return {};
      if (!steps.left(kStepsOfHeader)) return too_many();
      const Bytes unit = slice(hvcc, at + 2, *size);
      if (is_hevc_sequence(read_u8(unit, 0).value_or(0))) DERMLET_CHECK(check_hevc_sequence(slice(unit, 1)));
      at += 2 + std::size_t{*size};
    }
  }
  return {};
}

enum class Coding : std::uint8_t { kAv1, kHevc };

struct Coded {
  std::uint32_t id;
  Coding coding;
};

// From iinf; sorted by id.
Expected<std::vector<Coded>> coded_items(Bytes iinf, Steps& steps) {
  std::vector<Coded> items;
  std::size_t at = read_u8(iinf, 0).value_or(0) == 0 ? 6 : 8;
  for (auto box = read_box(iinf, at); box; box = read_box(iinf, at)) {
    if (!steps.left()) return too_many();
    at = box->end;
    const Bytes infe = box->payload;
    const bool wide = read_u8(infe, 0).value_or(0) > 2;
    const auto id = wide ? read_u32(infe, 4, kBig) : std::optional<std::uint32_t>(read_u16(infe, 4, kBig));
    const Bytes kind = slice(infe, wide ? 10 : 8, 4);
    if (!id || !starts_with(box->type, "infe"sv)) continue;
    if (starts_with(kind, "av01"sv)) items.push_back({*id, Coding::kAv1});
    if (starts_with(kind, "hvc1"sv) || starts_with(kind, "hev1"sv)) items.push_back({*id, Coding::kHevc});
    if (at >= iinf.size()) break;
  }
  std::sort(items.begin(), items.end(), [](const Coded& a, const Coded& b) { return a.id < b.id; });
  return items;
}

// Where items lie: iloc (ISO/IEC 14496-12, 8.11.3).
class Locations {
 public:
  Locations(Bytes iloc, Bytes file, Bytes idat)
      : iloc_(iloc),
        file_(file),
        idat_(idat),
        version_(read_u8(iloc, 0).value_or(0)),
        sizes_(read_u16(iloc, 4, kBig).value_or(0)) {
    count_ = version_ < 2 ? read_u16(iloc, 6, kBig).value_or(0) : read_u32(iloc, 6, kBig).value_or(0);
    at_ = version_ < 2 ? 8 : 10;
  }

  // Calls `found` with each item's id and data.
  template <typename Found>
  Expected<void> each(Steps& steps, const Found& found) {
    for (std::uint32_t i = 0; i < count_; ++i) {
      if (!steps.left()) return too_many();
      const auto id =
          version_ < 2 ? std::optional<std::uint32_t>(read_u16(iloc_, at_, kBig)) : read_u32(iloc_, at_, kBig);
      at_ += version_ < 2 ? 2 : 4;
      unsigned method = 0;
      if (version_ > 0) {
        method = read_u16(iloc_, at_, kBig).value_or(0) & 0xF;
        at_ += 2;
      }
      at_ += 2;  // another file, which nobody reads
      const auto base = read_sized(iloc_, at_, sizes_ >> 4 & 0xF);
      const auto extents = read_u16(iloc_, at_, kBig);
      at_ += 2;
      if (!id || !base || !extents) return {};
      ItemData data;
      for (unsigned k = 0; k < *extents; ++k) {
        if (!steps.left()) return too_many();
        if (version_ > 0 && !read_sized(iloc_, at_, sizes_ & 0xF)) return {};
        const auto offset = read_sized(iloc_, at_, sizes_ >> 12 & 0xF);
        const auto length = read_sized(iloc_, at_, sizes_ >> 8 & 0xF);
        if (!offset || !length) return {};
        const Bytes from = method == 1 ? idat_ : file_;
        const std::uint64_t start = *base + *offset;
        if (start < from.size())
          data.add(
              slice(from, static_cast<std::size_t>(start),
                    *length == 0 ? SIZE_MAX : static_cast<std::size_t>(std::min<std::uint64_t>(*length, SIZE_MAX))));
        // The same bytes many times: decoders would join them.
        if (data.left() > file_.size()) return too_many();
      }
      DERMLET_CHECK(found(*id, data));
    }
    return {};
  }

 private:
  Bytes iloc_;
  Bytes file_;
  Bytes idat_;
  unsigned version_;
  unsigned sizes_;
  std::uint32_t count_ = 0;
  std::size_t at_ = 0;
};

}  // namespace

Expected<void> check_coded_sizes(Bytes file, Bytes meta) {
  Steps steps;
  const Bytes ipco = find_box(find_box(meta, "iprp"sv), "ipco"sv);
  std::size_t at = 0;
  for (auto box = read_box(ipco, 0); box && steps.left(); box = read_box(ipco, at)) {
    if (starts_with(box->type, "hvcC"sv)) DERMLET_CHECK(check_configuration(box->payload, steps));
    at = box->end;
    if (at >= ipco.size()) break;
  }
  DERMLET_TRY(items, coded_items(find_box(meta, "iinf"sv), steps));
  const auto check_item = [&](std::uint32_t id, ItemData& data) -> Expected<void> {
    auto item =
        std::lower_bound(items.begin(), items.end(), id, [](const Coded& a, std::uint32_t b) { return a.id < b; });
    for (; item != items.end() && item->id == id; ++item) {
      ItemData own = data;
      DERMLET_CHECK(item->coding == Coding::kAv1 ? check_av1(own, steps) : check_hevc(own, steps));
    }
    return {};
  };
  return Locations(find_box(meta, "iloc"sv), file, find_box(meta, "idat"sv)).each(steps, check_item);
}

}  // namespace dermlet::foreign
