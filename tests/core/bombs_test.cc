// Small files that ask for much: sizes, counts, loops, scans, streams. Each must be refused, or read, within 50 ms of
// processor time and 8 MiB of memory.
//
// Memory is the most that was allocated at one time (allocations.h). Time is the thread's own, the least of three
// tries, so that a busy machine does not fail the test; under the sanitizers, which slow everything down, ten times as
// much is allowed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

#include "allocations.h"
#include "files.h"
#include "formats/inspect.h"
#include "pipeline.h"
#include "support.h"

namespace dermlet {
namespace {

using namespace std::string_view_literals;
using testing::File;

constexpr double kMostMilliseconds = testing::kSanitized ? 500 : 50;
constexpr std::size_t kMostBytes = std::size_t{8} << 20;

double milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// Prepares the file as a network of 224 x 224 wants it, with a preview, and holds time and memory to the limits.
Expected<Prepared> contained(const File& file) {
  PrepareSpec spec;
  spec.tensor = {224, 224, Layout::kNchw, ChannelOrder::kRgb, {127, 127, 127}, {128, 128, 128}};
  spec.preview_side = 256;
  double least = 1e9;
  Expected<Prepared> prepared = fail(ErrorCode::kInvalidArgument, "");
  std::size_t most = 0;
  std::size_t inspecting = 0;
  for (int i = 0; i < 3; ++i) {
    testing::begin_counting();
    (void)inspect(file.bytes());
    inspecting = std::max(inspecting, testing::most_allocated());
    prepared = fail(ErrorCode::kInvalidArgument, "");
    testing::begin_counting();
    const double began = milliseconds();
    prepared = prepare(file.bytes(), spec);
    least = std::min(least, milliseconds() - began);
    most = std::max(most, testing::most_allocated());
  }
  EXPECT_LE(least, kMostMilliseconds);
  EXPECT_LE(most, kMostBytes);
  EXPECT_LE(inspecting, kMostBytes);
  EXPECT_GT(most, 0u) << "memory is not counted";
  ::testing::Test::RecordProperty("milliseconds", std::to_string(least));
  ::testing::Test::RecordProperty("bytes", std::to_string(most));
  if (std::getenv("DERMLET_SHOW") != nullptr)
    std::printf("    %8zu bytes: %6.2f ms, %5.2f MiB, %s\n", file.bytes().size(), least,
                static_cast<double>(most) / (1 << 20), prepared ? "read" : prepared.error().message.c_str());
  return prepared;
}

void expect_code(const File& file, ErrorCode code) {
  const auto prepared = contained(file);
  ASSERT_FALSE(prepared) << "was read";
  EXPECT_EQ(prepared.error().code, code) << prepared.error().message;
}

void expect_read(const File& file) {
  const auto prepared = contained(file);
  EXPECT_TRUE(prepared) << prepared.error().message;
}

// A PNG by its header and what lies between it and its end.
File png(std::uint32_t width, std::uint32_t height, std::uint8_t depth, std::uint8_t colour, const File& chunks) {
  File header;
  header.u32(width).u32(height).u8(depth).u8(colour).u8(0).u8(0).u8(0);
  return File().text("\x89PNG\r\n\x1A\n"sv).chunk("IHDR"sv, header).add(chunks).chunk("IEND"sv, {});
}

// The only picture of one grey pixel: a stored block of a filter and a sample.
File pixel() { return File().chunk("IDAT"sv, File().text("\x78\x01\x01\x02\x00\xFD\xFF\x00\x80\x00\x82\x00\x81"sv)); }

// A zlib stream of many zeros, 13 bits for 258 of them, without its checksum.
File zeros_deflated(std::size_t count) {
  File file;
  file.u8(0x78).u8(0x01);
  std::uint32_t held = 0;
  int bits = 0;
  const auto put = [&](std::uint32_t code, int length) {  // Huffman codes have their highest bit first
    for (int i = length - 1; i >= 0; --i) {
      held |= (code >> i & 1) << bits;
      if (++bits < 8) continue;
      file.u8(static_cast<std::uint8_t>(held));
      held = 0;
      bits = 0;
    }
  };
  put(1, 1), put(2, 2);  // last block, fixed codes (01, lowest bit first)
  put(0x30, 8);          // a zero
  for (std::size_t made = 1; made < count; made += 258) put(0xC5, 8), put(0, 5);
  put(0, 7);
  return file.u8(static_cast<std::uint8_t>(held));
}

TEST(Bombs, PngsOfImpossibleSizesAreTooLarge) {
  expect_code(png(50'000, 50'000, 8, 2, pixel()), ErrorCode::kImageTooLarge);
  expect_code(png(0x7FFFFFFF, 0x7FFFFFFF, 16, 6, pixel()), ErrorCode::kImageTooLarge);
  expect_code(png(0x7FFFFFFF, 1, 1, 0, pixel()), ErrorCode::kImageTooLarge);
}

TEST(Bombs, APngThatCannotHoldItsPictureIsNotAllocated) {
  expect_code(png(8'000, 8'000, 16, 6, pixel()), ErrorCode::kCorruptImage);
  expect_code(png(8'000, 8'000, 8, 3, File().chunk("PLTE"sv, File().zeros(3)).add(pixel())), ErrorCode::kCorruptImage);
  expect_code(File(testing::picture_bytes("deep.png")), ErrorCode::kCorruptImage);
}

TEST(Bombs, DataBeyondThePngsSizeIsRefused) {
  expect_code(png(1, 1, 8, 0, File().chunk("IDAT"sv, zeros_deflated(std::size_t{64} << 20))),
              ErrorCode::kImageTooLarge);
  expect_code(File(testing::picture_bytes("bomb.png")), ErrorCode::kImageTooLarge);
}

TEST(Bombs, AnInflatingProfileIsNotRead) {
  const File profile = File().text("p\0\0"sv).add(zeros_deflated(std::size_t{64} << 20));
  const auto prepared = contained(png(1, 1, 8, 0, File().chunk("iCCP"sv, profile).add(pixel())));
  ASSERT_TRUE(prepared) << prepared.error().message;
  EXPECT_EQ(prepared->source.colour, ColourSource::kUnsupportedProfile);
}

// A profile of a look-up table, whose tag is of this type, for so many channels and points a side, and holds nothing.
File table_profile(std::string_view type, std::string_view space, std::uint8_t channels, std::uint8_t points) {
  File tag = File().text(type).zeros(4).u8(channels).u8(3).u8(points).u8(0);
  for (int i = 0; i < 9; ++i) tag.u32(i % 4 == 0 ? 0x10000 : 0);
  tag.u16(2).u16(2);
  for (int i = 0; i < channels; ++i) tag.u16(0).u16(0xFFFF);
  tag.zeros(4000);
  const auto length = static_cast<std::uint32_t>(tag.bytes().size());
  File head = File().u32(144 + length).zeros(4).u32(0x02000000).text("scnr"sv).text(space).text("Lab "sv).zeros(12);
  head.text("acsp"sv).zeros(88);
  return head.u32(1).text("A2B0"sv).u32(144).u32(length).add(tag);
}

TEST(Bombs, ATableLargerThanItsProfileIsNotAllocated) {
  for (const std::uint8_t points : {std::uint8_t{2}, std::uint8_t{12}, std::uint8_t{64}, std::uint8_t{255}}) {
    const File mark = File().text("ICC_PROFILE\0\1\1"sv).add(table_profile("mft2"sv, "RGB "sv, 3, points));
    const auto prepared = contained(testing::jpeg_start().segment(0xE2, mark).add(testing::grey_jpeg_rest(16, 16, 8)));
    ASSERT_TRUE(prepared) << prepared.error().message;
    EXPECT_EQ(prepared->source.colour, ColourSource::kUnsupportedProfile) << int{points};
  }
}

TEST(Bombs, ABmpOfRunLengthsThatCannotHoldItsPictureIsNotAllocated) {
  const auto little = [](File& file, std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) file.u8(value >> shift);
  };
  File file = File().text("BM"sv);
  for (const std::uint32_t value : {0u, 0u, 1078u, 40u, 8'000u, 8'000u, 0x80001u, 1u, 0u, 0u, 0u, 0u, 0u})
    little(file, value);
  expect_code(file.zeros(1024).u8(0).u8(1), ErrorCode::kCorruptImage);
}

TEST(Bombs, ThousandsOfPngChunksAreWalked) {
  File chunks;
  for (int i = 0; i < 50'000; ++i) chunks.chunk("tEXt"sv, {});
  expect_read(png(1, 1, 8, 0, chunks.add(pixel())));
  File many;
  for (int i = 0; i < 50'000; ++i) many.chunk("IDAT"sv, {});
  expect_read(png(1, 1, 8, 0, many.add(pixel())));
  File turned;
  for (int i = 0; i < 20'000; ++i) turned.chunk("eXIf"sv, File().text("II*\0\x08\0\0\0\xFF\xFF"sv));
  expect_read(png(1, 1, 8, 0, turned.add(pixel())));
}

// Directories that name themselves, a chain of thousands, counts that nothing holds: orientation stays what the first
// directory says.
File exif_loop(std::uint16_t entries, std::uint32_t next) {
  File tiff;
  tiff.text("MM\0*\0\0\0\x08"sv).u16(entries);
  tiff.u16(0x8769).u16(4).u32(1).u32(8);           // the EXIF directory: this one
  tiff.u16(0x8825).u16(4).u32(0xFFFFFFFF).u32(8);  // GPS, four thousand million of them
  tiff.u16(0x0112).u16(3).u32(1).u16(6).u16(0);
  return tiff.u32(next);
}

TEST(Bombs, ExifLoopsAreNotFollowed) {
  for (const std::uint32_t next : {8u, 0u, 0xFFFFFFFFu}) {
    for (const std::uint16_t entries : {std::uint16_t{3}, std::uint16_t{0xFFFF}}) {
      const auto prepared = contained(png(1, 1, 8, 0, File().chunk("eXIf"sv, exif_loop(entries, next)).add(pixel())));
      ASSERT_TRUE(prepared) << prepared.error().message;
      EXPECT_EQ(prepared->source.orientation, 6);
    }
  }
}

TEST(Bombs, AChainOfExifDirectoriesIsNotFollowed) {
  File tiff;
  tiff.text("MM\0*\0\0\0\x08"sv);
  for (std::uint32_t i = 0; i < 5'000; ++i)
    tiff.u16(1).u16(0x8769).u16(4).u32(1).u32(8 + 18 * (i + 1)).u32(8 + 18 * (i + 1));
  File jpeg = testing::jpeg_start().segment(0xE1, File().text("Exif\0\0"sv).add(File(tiff.bytes().first(60'000))));
  jpeg.add(testing::grey_jpeg_rest(8, 8, 1));
  expect_read(jpeg);
  File full;  // 65,535 entries, of which the last there are is the orientation
  full.text("II*\0\x08\0\0\0\xFF\xFF"sv);
  for (int i = 0; i < 5'000; ++i) full.text("\x01\0\x04\0\xFF\xFF\xFF\xFF\x08\0\0\0"sv);
  full.text("\x12\x01\x03\0\x01\0\0\0\x08\0\0\0"sv);
  const auto prepared = contained(
      testing::jpeg_start().segment(0xE1, File().text("Exif\0\0"sv).add(full)).add(testing::grey_jpeg_rest(8, 8, 1)));
  ASSERT_TRUE(prepared);
  EXPECT_EQ(prepared->source.orientation, 8);
}

TEST(Bombs, ProfilesOfHugeAndOverlappingTagsAreNotRead) {
  for (const std::uint32_t tags : {std::uint32_t{0xFFFFFFFF}, std::uint32_t{100}}) {
    File icc;
    icc.u32(60'000).zeros(4).u32(0x02000000).text("mntrRGB XYZ "sv).zeros(12).text("acsp"sv).zeros(88).u32(tags);
    for (const std::string_view name : {"rXYZ"sv, "gXYZ"sv, "bXYZ"sv, "rTRC"sv, "gTRC"sv, "bTRC"sv})
      icc.text(name).u32(128).u32(0xFFFFFFFF);
    for (int i = 0; i < 94; ++i) icc.text("zzzz"sv).u32(0).u32(60'000);
    icc.zeros(60'000 - icc.bytes().size());
    const auto prepared = contained(testing::jpeg_start()
                                        .segment(0xE2, File().text("ICC_PROFILE\0\x01\x01"sv).add(icc))
                                        .add(testing::grey_jpeg_rest(8, 8, 1)));
    ASSERT_TRUE(prepared) << prepared.error().message;
    EXPECT_EQ(prepared->source.colour, ColourSource::kUnsupportedProfile);
  }
}

TEST(Bombs, AProfileOf16MebibytesIsNotJoined) {
  File jpeg = testing::jpeg_start();
  for (std::uint8_t i = 1; i != 0; ++i) jpeg.segment(0xE2, File().text("ICC_PROFILE\0"sv).u8(i).u8(255).zeros(65'000));
  const auto prepared = contained(jpeg.add(testing::grey_jpeg_rest(8, 8, 1)));
  ASSERT_TRUE(prepared) << prepared.error().message;
  EXPECT_EQ(prepared->source.colour, ColourSource::kUnsupportedProfile);
}

TEST(Bombs, JpegsOfImpossibleSizesAreTooLarge) {
  expect_code(testing::jpeg_start().add(testing::grey_jpeg_rest(65'535, 65'535, 0)), ErrorCode::kImageTooLarge);
  expect_code(testing::jpeg_start().add(testing::grey_jpeg_rest(50'000, 50'000, 0)), ErrorCode::kImageTooLarge);
}

TEST(Bombs, AJpegThatCannotHoldItsPictureIsNotAllocated) {
  for (const bool progressive : {false, true}) {
    const auto prepared = contained(testing::jpeg_start()
                                        .add(testing::colour_jpeg_frame(8'000, 8'000, progressive))
                                        .add(testing::three_channel_scan(0, progressive ? 0 : 63))
                                        .zeros(500));
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().code, ErrorCode::kCorruptImage);
    EXPECT_NE(prepared.error().message.find("ends early: about 0 %"), std::string::npos) << prepared.error().message;
  }
}

// Whoever sends thousands of passes, each some bytes of end-of-band runs, wants the time and not the picture.
TEST(Bombs, ThousandsOfProgressivePassesAreRefused) {
  for (const int side : {64, 1'000, 2'000}) {
    const std::size_t blocks = static_cast<std::size_t>(side / 16 + 1) * static_cast<std::size_t>(side / 16 + 1) * 6;
    File jpeg = testing::jpeg_start()
                    .add(testing::colour_jpeg_frame(side, side, true))
                    .add(testing::three_channel_scan(0, 0))
                    .zeros(blocks / 8 + 8);
    for (int i = 0; i < 5'000; ++i)
      jpeg.add(testing::one_channel_scan(1 + i % 3, 1, 63)).zeros(2 * (blocks / 16'384 + 1));
    const auto prepared = contained(jpeg.segment(0xD9, {}));
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().code, ErrorCode::kCorruptImage);
    EXPECT_NE(prepared.error().message.find("passes"), std::string::npos) << prepared.error().message;
  }
}

TEST(Bombs, ThousandsOfScansOfOneChannelAreRefused) {
  File jpeg = testing::jpeg_start().add(testing::colour_jpeg_frame(16, 16, false));
  for (int i = 0; i < 5'000; ++i) jpeg.add(testing::tables()).add(testing::one_channel_scan(1, 0, 63)).zeros(8);
  expect_code(jpeg, ErrorCode::kCorruptImage);
}

TEST(Bombs, ThousandsOfTablesAreRefused) {
  File jpeg = testing::jpeg_start().add(testing::colour_jpeg_frame(16, 16, true));
  for (int i = 0; i < 30'000; ++i) jpeg.add(testing::tables());
  expect_code(jpeg.add(testing::three_channel_scan(0, 0)).zeros(100), ErrorCode::kCorruptImage);
}

TEST(Bombs, ThousandsOfRestartsAndSegmentsAreRead) {
  File jpeg = testing::jpeg_start();
  for (int i = 0; i < 100'000; ++i) jpeg.segment(0xFE, {});
  jpeg.segment(0xDD, File().u16(1)).add(testing::grey_jpeg_rest(512, 512, 1));
  for (int i = 1; i < 64 * 64; ++i) jpeg.u8(0xFF).u8(static_cast<std::uint8_t>(0xD0 + (i - 1) % 8)).u8(0);
  expect_read(jpeg);
  File filled = testing::jpeg_start();
  for (int i = 0; i < 1'000'000; ++i) filled.u8(0xFF);
  expect_read(filled.add(File(testing::grey_jpeg_rest(8, 8, 1).bytes())));
}

// Sizes of both signs, up to what 32 bits hold.
TEST(Bombs, BmpsOfImpossibleSizesAreRefused) {
  const auto bmp = [](std::uint32_t width, std::uint32_t height, std::uint16_t bits) {
    const auto little = [](std::uint32_t v) {
      return File().u8(v & 0xFF).u8(v >> 8 & 0xFF).u8(v >> 16 & 0xFF).u8(v >> 24);
    };
    return File()
        .text("BM"sv)
        .add(little(100))
        .add(little(0))
        .add(little(54))
        .add(little(40))
        .add(little(width))
        .add(little(height))
        .u8(1)
        .u8(0)
        .u8(static_cast<std::uint8_t>(bits))
        .u8(0)
        .zeros(24)
        .zeros(4'096);
  };
  for (const std::uint16_t bits : {std::uint16_t{1}, std::uint16_t{8}, std::uint16_t{24}, std::uint16_t{32}}) {
    expect_code(bmp(50'000, 50'000, bits), ErrorCode::kImageTooLarge);
    expect_code(bmp(0x7FFFFFFF, 0x7FFFFFFF, bits), ErrorCode::kImageTooLarge);
    expect_code(bmp(1, 0x80000000, bits), ErrorCode::kImageTooLarge);  // the most negative height
    expect_code(bmp(0xFFFFFFFF, 16, bits), ErrorCode::kCorruptImage);
    expect_code(bmp(0x80000000, 0x80000000, bits), ErrorCode::kCorruptImage);
    expect_code(bmp(8'000, 8'000, bits), ErrorCode::kCorruptImage);
    expect_code(bmp(8'000, static_cast<std::uint32_t>(-8'000), bits), ErrorCode::kCorruptImage);
    expect_code(bmp(0, 0, bits), ErrorCode::kCorruptImage);
  }
}

// Whatever the picture's size, a header takes no more than what it says of colours.
TEST(Bombs, InspectingAllocatesNothingOfThePicture) {
  for (const char* name : {"spot-large.jpg", "spot-large-progressive.jpg", "p3.jpg", "spot.png", "spot-16bit.png",
                           "adobe-rgb-alpha.png", "spot.bmp", "foreign/lossy.webp", "foreign/profile.heic"}) {
    const File file(testing::picture_bytes(name));
    testing::begin_counting();
    const auto header = inspect(file.bytes());
    const std::size_t most = testing::most_allocated();
    ASSERT_TRUE(header) << name;
    EXPECT_LE(most, std::size_t{64} << 10) << name;
  }
}

// Headers alone are read of these; all that is allocated is what must be changed for another's decoder.
TEST(Bombs, AWebpOfThousandsOfExifChunksIsRefused) {
  File chunks;
  chunks.text("VP8X\x0A\0\0\0\x08\0\0\0\x0F\0\0\x0F\0\0"sv);
  for (int i = 0; i < 100'000; ++i) chunks.text("EXIF\0\0\0\0"sv);
  const std::size_t size = chunks.bytes().size() + 4;
  expect_code(
      File().text("RIFF"sv).u8(size & 0xFF).u8(size >> 8 & 0xFF).u8(size >> 16 & 0xFF).u8(0).text("WEBP"sv).add(chunks),
      ErrorCode::kCorruptImage);
}

File box(std::string_view type, const File& payload) {
  return File().u32(static_cast<std::uint32_t>(payload.bytes().size() + 8)).text(type).add(payload);
}

TEST(Bombs, AnAvifOfThousandsOfPropertiesIsWalked) {
  File properties;
  for (int i = 0; i < 32'768; ++i) properties.add(box("irot"sv, File().u8(1)));
  properties.add(box("ispe"sv, File().u32(0).u32(50'000).u32(50'000)));
  File associations;
  associations.u32(1).u32(1).u16(1).u8(255);  // wide ones, of one item
  for (int i = 0; i < 255; ++i) associations.u16(0x7FFF);
  const File own = File()
                       .u32(0)
                       .add(box("pitm"sv, File().u32(0).u16(1)))
                       .add(box("iprp"sv, box("ipco"sv, properties).add(box("ipma"sv, associations))));
  const File file =
      box("ftyp"sv, File().text("avif\0\0\0\0avif"sv)).add(box("meta"sv, own)).add(box("mdat"sv, File().zeros(8)));
  const auto prepared = contained(file);
  ASSERT_FALSE(prepared);
  EXPECT_TRUE(prepared.error().code == ErrorCode::kCorruptImage || prepared.error().code == ErrorCode::kImageTooLarge)
      << prepared.error().message;
}

// A HEIC whose item 1 is a grid, with the given references, properties and associations.
File grid_of(const File& references, const File& properties, const File& associations) {
  const File meta = File()
                        .u32(0)
                        .add(box("pitm"sv, File().u32(0).u16(1)))
                        .add(box("iref"sv, File().u32(0).add(references)))
                        .add(box("iprp"sv, box("ipco"sv, properties).add(associations)));
  return box("ftyp"sv, File().text("heic\0\0\0\0heic"sv)).add(box("meta"sv, meta)).add(box("mdat"sv, File().zeros(8)));
}

// Item 1 is 16 x 16.
File sized() { return File().u32(0).u32(1).u16(1).u8(1).u8(1); }

const File kSize = box("ispe"sv, File().u32(0).u32(16).u32(16));

TEST(Bombs, AGridThatIsItsOwnTileIsRead) {
  const auto header =
      inspect(grid_of(box("dimg"sv, File().u16(1).u16(1).u16(1)), kSize, box("ipma"sv, sized())).bytes());
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(name_of(header->colours.kind), name_of(ColourKind::kNone));
}

TEST(Bombs, AGridOfThousandsOfTilesBoxesAndProfilesIsWalked) {
  File references;
  for (int i = 0; i < 20'000; ++i) references.add(box("dimg"sv, File().u16(2).u16(0)));
  File tiles;
  tiles.u16(1).u16(65'535);
  for (int i = 0; i < 65'535; ++i) tiles.u16(1);
  references.add(box("dimg"sv, tiles));
  File properties = kSize;
  for (int i = 0; i < 32'768; ++i) properties.add(box("colr"sv, File().text("nclx"sv).u16(9).u16(16).u16(9).u8(0)));
  File associations = box("ipma"sv, sized());
  for (int i = 0; i < 100'000; ++i) associations.add(box("ipma"sv, File().u32(0).u32(1).u16(1).u8(0)));
  File many;
  many.u32(0).u32(0xFFFFFFFF);
  for (int i = 0; i < 300'000; ++i) many.u16(1).u8(0);
  associations.add(box("ipma"sv, many));
  const auto prepared = contained(grid_of(references, properties, associations));
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().code, ErrorCode::kUnsupportedFormat) << prepared.error().message;
}

}  // namespace
}  // namespace dermlet
