// The size that a HEIF file states is one thing, that at which its data are coded another: files that lie.
#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>

#include "files.h"
#include "formats/inspect.h"
#include "support.h"

namespace dermlet {
namespace {

using namespace std::string_view_literals;
using testing::File;

struct Field {
  unsigned bits;
  std::uint64_t value;
};

// Fields of bits, most significant first.
File packed(std::initializer_list<Field> fields) {
  std::vector<std::uint8_t> bytes;
  unsigned at = 0;
  for (const Field& field : fields) {
    for (unsigned i = field.bits; i > 0; --i, ++at) {
      if (at % 8 == 0) bytes.push_back(0);
      bytes.back() |= static_cast<std::uint8_t>((field.value >> (i - 1) & 1) << (7 - at % 8));
    }
  }
  return File(std::move(bytes));
}

// H.265's ue(v).
Field exponential(std::uint64_t value) {
  unsigned bits = 0;
  while ((value + 1) >> (bits + 1) != 0) ++bits;
  return {2 * bits + 1, value + 1};
}

// An OBU with its size.
File obu(unsigned type, const File& payload) {
  return File().u8(type << 3 | 2).u8(static_cast<std::uint32_t>(payload.bytes().size())).add(payload);
}

enum class Kind : std::uint8_t { kReduced, kWhole, kWithTiming };

// AV1's sequence header, as the specification has it.
File av1_sequence(std::uint64_t width, std::uint64_t height, Kind kind = Kind::kReduced) {
  const Field w{16, width - 1};
  const Field h{16, height - 1};
  const Field bits{4, 15};
  switch (kind) {
    case Kind::kReduced:
      return obu(1, packed({{3, 0}, {1, 1}, {1, 1}, {5, 31}, bits, bits, w, h, {8, 0}}));
    case Kind::kWhole:  // two operating points, of which one is of a high level
      return obu(1, packed({{3, 0},
                            {1, 1},
                            {1, 0},
                            {1, 0},
                            {1, 0},
                            {5, 1},
                            {12, 1},
                            {5, 8},
                            {1, 0},
                            {12, 1},
                            {5, 4},
                            bits,
                            bits,
                            w,
                            h,
                            {8, 0}}));
    case Kind::kWithTiming:
      return obu(1, packed({{3, 0},  {1, 1}, {1, 0}, {1, 1}, {32, 1}, {32, 25}, {1, 1}, {1, 1}, {1, 1}, {5, 9},
                            {32, 1}, {5, 9}, {5, 9}, {1, 1}, {5, 0},  {12, 1},  {5, 8}, {1, 0}, {1, 1}, {10, 0},
                            {10, 0}, {1, 0}, {1, 1}, {4, 0}, bits,    bits,     w,      h,      {8, 0}}));
  }
  return {};
}

// HEVC's sequence parameter set, as a unit without its length. Three bytes of emulation prevention are in its profile.
File hevc_sequence(std::uint64_t width, std::uint64_t height, unsigned sub_layers = 0) {
  const File head = packed({{4, 0}, {3, sub_layers}, {1, 1}, {8, 1}, {32, 0x60000000}});
  const File rest = sub_layers == 0 ? packed({{8, 0xB0},
                                              {32, 1},
                                              {8, 0},
                                              {8, 93},
                                              exponential(0),
                                              exponential(1),
                                              exponential(width),
                                              exponential(height),
                                              {8, 0x80}})
                                    // One sub-layer with a profile and a level.
                                    : packed({{8, 0xB0},
                                              {32, 1},
                                              {8, 0},
                                              {8, 93},
                                              {2, 3},
                                              {14, 0},
                                              {32, 0x7F7F7F7F},
                                              {32, 0x7F7F7F7F},
                                              {32, 0x7F7F7F7F},
                                              exponential(0),
                                              exponential(1),
                                              exponential(width),
                                              exponential(height),
                                              {8, 0x80}});
  File plain = head;
  plain.add(rest);
  File unit = File().u8(33 << 1).u8(1);
  int zeros = 0;
  for (const std::uint8_t byte : plain.bytes()) {
    if (zeros == 2 && byte <= 3) {
      unit.u8(3);
      zeros = 0;
    }
    zeros = byte == 0 ? zeros + 1 : 0;
    unit.u8(byte);
  }
  return unit;
}

File with_length(const File& unit) { return File().u32(static_cast<std::uint32_t>(unit.bytes().size())).add(unit); }

File box(std::string_view type, const File& payload) {
  return File().u32(static_cast<std::uint32_t>(payload.bytes().size() + 8)).text(type).add(payload);
}

// hvcC with one unit.
File configuration(const File& unit) {
  File data;
  data.u8(1).zeros(21).u8(1).u8(33).u16(1).u16(static_cast<std::uint32_t>(unit.bytes().size())).add(unit);
  return box("hvcC"sv, data);
}

struct Told {
  std::string_view kind = "av01"sv;
  unsigned id = 1;       // of the item whose data it is; the picture is item 1
  unsigned extents = 1;  // equal parts
  bool in_idat = false;
  unsigned repeats = 1;  // of each extent
  File property{};
};

// A file that says it is 16 x 16.
File heif(const File& data, const Told& told = {}) {
  const bool avif = told.kind == "av01"sv;
  const auto build = [&](std::uint32_t data_at) {
    File located;
    located.u8(1).u8(0).u16(0).u16(0x4400).u16(1).u16(told.id).u16(told.in_idat ? 1 : 0).u16(0);
    located.u16(told.extents * told.repeats);
    const auto size = static_cast<std::uint32_t>(data.bytes().size());
    for (std::uint32_t i = 0; i < told.extents; ++i) {
      const std::uint32_t from = size * i / told.extents;
      for (unsigned k = 0; k < told.repeats; ++k)
        located.u32((told.in_idat ? 0 : data_at) + from).u32(size * (i + 1) / told.extents - from);
    }
    File meta;
    meta.u32(0).add(box("pitm"sv, File().u32(0).u16(1)));
    meta.add(box("iinf"sv, File().u32(0).u16(1).add(
                               box("infe"sv, File().u32(0x02000000).u16(told.id).u16(0).text(told.kind).u8(0)))));
    meta.add(box("iprp"sv, File()
                               .add(box("ipco"sv, box("ispe"sv, File().u32(0).u32(16).u32(16)).add(told.property)))
                               .add(box("ipma"sv, File().u32(0).u32(1).u16(1).u8(1).u8(1)))));
    if (told.in_idat) meta.add(box("idat"sv, data));
    meta.add(box("iloc"sv, located));
    return box("ftyp"sv, File().text(avif ? "avif\0\0\0\0avif"sv : "heic\0\0\0\0heic"sv)).add(box("meta"sv, meta));
  };
  const auto at = static_cast<std::uint32_t>(build(0).bytes().size() + 8);
  return build(at).add(box("mdat"sv, data));
}

// What is said of a file; nothing where it is read.
std::optional<ErrorCode> code_of(const File& file) {
  const auto header = inspect(file.bytes());
  if (header) return {};
  return header.error().code;
}

constexpr auto kTooLarge = std::optional(ErrorCode::kImageTooLarge);
constexpr auto kCorrupt = std::optional(ErrorCode::kCorruptImage);

TEST(Coded, AnAv1FrameOverTheLimitIsRefusedWhateverTheFileStates) {
  for (const Kind kind : {Kind::kReduced, Kind::kWhole, Kind::kWithTiming}) {
    EXPECT_EQ(code_of(heif(av1_sequence(65'535, 65'535, kind))), kTooLarge) << static_cast<int>(kind);
    EXPECT_EQ(code_of(heif(av1_sequence(8'001, 8'000, kind))), kTooLarge) << static_cast<int>(kind);
    EXPECT_EQ(code_of(heif(av1_sequence(8'000, 8'000, kind))), std::nullopt) << static_cast<int>(kind);
    EXPECT_EQ(code_of(heif(av1_sequence(16, 16, kind))), std::nullopt) << static_cast<int>(kind);
  }
}

TEST(Coded, AnAv1FrameIsFoundWhereverItsHeaderLies) {
  const File huge = av1_sequence(65'535, 65'535);
  const File delimiter = File().u8(2 << 3 | 2).u8(0);
  const File extended = File().u8(5 << 3 | 4 | 2).u8(0).u8(0x83).u8(0x80).u8(0).zeros(3);  // a long form of a size
  EXPECT_EQ(code_of(heif(File(delimiter).add(extended).add(av1_sequence(16, 16)).add(huge))), kTooLarge);
  EXPECT_EQ(code_of(heif(huge, {.extents = 5})), kTooLarge);
  EXPECT_EQ(code_of(heif(huge, {.in_idat = true})), kTooLarge);
  EXPECT_EQ(code_of(heif(huge, {.id = 7})), kTooLarge) << "a tile, or transparency";
  // The last unit may have no size.
  File endless = File().u8(1 << 3);
  for (const std::uint8_t byte : huge.bytes().subspan(2)) endless.u8(byte);
  EXPECT_EQ(code_of(heif(endless)), kTooLarge);
}

// A sequence of the given number of bits for a side, 16 x 16 at most, and a key frame, whose header says whether it has
// a size of its own.
File frame_of(unsigned bits, bool own_size, bool timing) {
  const File sequence =
      timing ? packed({{3, 0}, {1, 1},        {1, 0},        {1, 1},     {32, 1},    {32, 25}, {1, 0},  {1, 1},
                       {5, 9}, {32, 1},       {5, 9},        {5, 6},     {1, 0},     {5, 0},   {12, 1}, {5, 4},
                       {1, 0}, {4, bits - 1}, {4, bits - 1}, {bits, 15}, {bits, 15}, {1, 1},   {4, 3},  {3, 2},
                       {3, 0}, {4, 0},        {1, 1},        {2, 0},     {1, 0},     {1, 1},   {1, 1},  {16, 0}})
             : packed({{3, 0}, {1, 1},        {1, 0},        {1, 0},     {1, 0},     {5, 0}, {12, 1},
                       {5, 4}, {4, bits - 1}, {4, bits - 1}, {bits, 15}, {bits, 15}, {1, 0}, {3, 0},
                       {4, 0}, {1, 0},        {1, 1},        {1, 0},     {1, 1},     {16, 0}});
  const Field own{1, own_size ? 1u : 0u};
  // In the one, a time of 7 bits and a number of 8; in the other, a choice of tools for pictures of screens.
  const File frame = timing ? packed({{1, 0}, {2, 0}, {1, 1}, {7, 0}, {1, 0}, {1, 0}, {8, 0}, own, {16, 0xFFFF}})
                            : packed({{1, 0}, {2, 0}, {1, 1}, {1, 0}, {1, 1}, own, {16, 0xFFFF}});
  return obu(1, sequence).add(obu(6, frame));
}

TEST(Coded, AFrameOfASizeOfItsOwnIsHeldToWhatItsFieldsCanSay) {
  for (const bool timing : {false, true}) {
    EXPECT_EQ(code_of(heif(frame_of(16, true, timing))), kTooLarge) << timing;
    EXPECT_EQ(code_of(heif(frame_of(16, false, timing))), std::nullopt) << timing;
    EXPECT_EQ(code_of(heif(frame_of(12, true, timing))), std::nullopt) << timing;
  }
}

TEST(Coded, AnHevcPictureOverTheLimitIsRefusedWhateverTheFileStates) {
  const File small = with_length(hevc_sequence(16, 16));
  for (const unsigned sub_layers : {0u, 1u}) {
    const File huge = hevc_sequence(65'535, 65'535, sub_layers);
    EXPECT_EQ(code_of(heif(small, {.kind = "hvc1"sv, .property = configuration(huge)})), kTooLarge) << sub_layers;
    EXPECT_EQ(code_of(heif(File(small).add(with_length(huge)), {.kind = "hvc1"sv})), kTooLarge) << sub_layers;
    EXPECT_EQ(code_of(heif(with_length(huge), {.kind = "hev1"sv, .extents = 3})), kTooLarge) << sub_layers;
    const File fits = hevc_sequence(8'000, 8'000, sub_layers);
    EXPECT_EQ(code_of(heif(with_length(fits), {.kind = "hvc1"sv, .property = configuration(fits)})), std::nullopt);
    const File over = hevc_sequence(8'008, 8'000, sub_layers);
    EXPECT_EQ(code_of(heif(with_length(over), {.kind = "hvc1"sv})), kTooLarge);
  }
}

TEST(Coded, TheSameBytesManyTimesAreNotAPicture) {
  const File data = File().zeros(4'000);
  EXPECT_EQ(code_of(heif(data, {.repeats = 60'000})), kCorrupt);
  EXPECT_EQ(code_of(heif(data, {.repeats = 1})), std::nullopt);
  File units;
  for (int i = 0; i < 200'000; ++i) units.u8(2 << 3 | 2).u8(0);
  EXPECT_EQ(code_of(heif(units)), kCorrupt);
  File parameters;
  for (int i = 0; i < 50'000; ++i) parameters.add(with_length(hevc_sequence(16, 16)));
  EXPECT_EQ(code_of(heif(parameters, {.kind = "hvc1"sv})), kCorrupt);
}

TEST(Coded, CutAnywhereItIsAnswered) {
  for (const Kind kind : {Kind::kReduced, Kind::kWhole, Kind::kWithTiming}) {
    const File whole = av1_sequence(65'535, 65'535, kind);
    for (std::size_t length = 0; length < whole.bytes().size(); ++length) {
      const auto code = code_of(heif(File(whole.bytes().first(length))));
      EXPECT_TRUE(code == std::nullopt || code == kTooLarge) << length;
    }
  }
}

}  // namespace
}  // namespace dermlet
