#include "formats/decode.h"

#include <gtest/gtest.h>

#include <array>

#include "formats/inspect.h"
#include "support.h"

namespace dermlet {
namespace {

using testing::picture_bytes;

Expected<Image> decoded(const std::vector<std::uint8_t>& bytes) {
  const auto header = inspect(bytes);
  if (!header) return tl::unexpected(header.error());
  if (const auto intact = check_checksums(bytes, *header); !intact) return tl::unexpected(intact.error());
  auto picture = decode(bytes, *header, {0, 0, header->width, header->height}, 1);
  if (!picture) return tl::unexpected(picture.error());
  EXPECT_EQ(picture->image.width, header->width);
  EXPECT_EQ(picture->image.height, header->height);
  EXPECT_EQ(picture->image.channels, 3);
  return std::move(picture->image);
}

ErrorCode code_of(const std::string& name) {
  const auto image = decoded(picture_bytes(name));
  EXPECT_FALSE(image) << name;
  return image ? ErrorCode::kInvalidArgument : image.error().code;
}

TEST(Decode, HeadersSayFormatSizeAndOrientation) {
  const auto bytes = picture_bytes("orientation-6.jpg");
  const auto header = inspect(bytes);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->format, Format::kJpeg);
  EXPECT_EQ(header->width, 180);  // as stored
  EXPECT_EQ(header->height, 240);
  EXPECT_EQ(header->orientation, 6);
  EXPECT_EQ(inspect(picture_bytes("orientation-6.png"))->orientation, 6);
  EXPECT_EQ(inspect(picture_bytes("spot.bmp"))->width, 160);
}

TEST(Decode, EveryKindGivesRgbOfTheHeadersSize) {
  for (const char* name : {"spot.jpg", "spot-progressive.jpg", "spot-444.jpg", "spot-restart.jpg", "spot-gray.jpg",
                           "spot-cmyk.jpg", "spot.png", "spot-palette.png", "spot-gray.png", "spot-alpha.png",
                           "spot-16bit.png", "spot.bmp", "spot-gray.bmp"}) {
    const auto image = decoded(picture_bytes(name));
    EXPECT_TRUE(image) << name << ": " << image.error().message;
  }
}

TEST(Decode, BrokenFilesHaveTheirCodes) {
  EXPECT_EQ(code_of("empty.jpg"), ErrorCode::kCorruptImage);
  EXPECT_EQ(code_of("cut-off.jpg"), ErrorCode::kCorruptImage);
  EXPECT_EQ(code_of("corrupt.jpg"), ErrorCode::kCorruptImage);
  EXPECT_EQ(code_of("corrupt.png"), ErrorCode::kCorruptImage);
  EXPECT_EQ(code_of("huge.png"), ErrorCode::kImageTooLarge);
  EXPECT_EQ(code_of("picture.webp"), ErrorCode::kUnsupportedFormat);
}

TEST(Decode, DataBeyondTheHeaderIsRefusedByTheBudget) { EXPECT_EQ(code_of("bomb.png"), ErrorCode::kImageTooLarge); }

TEST(Decode, LimitsAreHeldBeforeAnythingIsAllocated) {
  auto bytes = picture_bytes("spot.bmp");
  bytes[18] = bytes[19] = bytes[22] = bytes[23] = 0xFF;  // 65535 x 65535
  EXPECT_EQ(inspect(bytes).error().code, ErrorCode::kImageTooLarge);
}

TEST(Decode, JpegKindsThatAreNotReadAreNamed) {
  const auto with_frame = [](std::uint8_t marker, std::uint8_t precision) {
    auto bytes = picture_bytes("spot-444.jpg");
    for (std::size_t i = 2; i + 4 < bytes.size(); ++i) {
      if (bytes[i] == 0xFF && bytes[i + 1] == 0xC0) {
        bytes[i + 1] = marker;
        bytes[i + 4] = precision;
        break;
      }
    }
    return inspect(bytes);
  };
  EXPECT_TRUE(with_frame(0xC1, 8));  // extended sequential with 8 bits is baseline with more tables
  for (const auto& [marker, precision, word] : std::vector<std::tuple<int, int, std::string>>{
           {0xC9, 8, "arithmetic"}, {0xC3, 8, "lossless"}, {0xC5, 8, "hierarchical"}, {0xC1, 12, "12 bits"}}) {
    const auto header = with_frame(static_cast<std::uint8_t>(marker), static_cast<std::uint8_t>(precision));
    ASSERT_FALSE(header) << word;
    EXPECT_EQ(header.error().code, ErrorCode::kUnsupportedFormat);
    EXPECT_NE(header.error().message.find(word), std::string::npos) << header.error().message;
  }
}

// A file that ends early is never a success, whatever the decoder would make of it.
TEST(Decode, EveryCutIsAnError) {
  for (const char* name : {"spot-444.jpg", "spot-restart.jpg", "orientation-6.jpg", "tiny.png", "spot-16bit.png",
                           "flat.png", "spot-gray.bmp"}) {
    const auto whole = picture_bytes(name);
    const std::size_t step = whole.size() > 4000 ? 7 : 1;
    // The BMP's last row may lack its padding; the PNG's and JPEG's last byte counts.
    for (std::size_t n = 0; n + 4 < whole.size(); n += step) {
      const std::vector<std::uint8_t> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_FALSE(decoded(part)) << name << " cut at " << n;
    }
  }
}

// Whatever a flipped header byte says, the answer is a picture of the stated size or an error.
TEST(Decode, EveryFlippedHeaderByteIsSurvived) {
  for (const char* name : {"spot-444.jpg", "spot-restart.jpg", "tiny.png", "flat.png", "spot-gray.bmp"}) {
    const auto whole = picture_bytes(name);
    for (std::size_t at = 0; at < std::min<std::size_t>(whole.size(), 700); ++at) {
      for (const auto mask : std::to_array<std::uint8_t>({0x01, 0x80, 0xFF})) {
        auto bytes = whole;
        bytes[at] ^= mask;
        const auto header = inspect(bytes);
        if (!header || static_cast<std::int64_t>(header->width) * header->height > 1'000'000) continue;
        (void)decoded(bytes);
      }
    }
  }
}

// stb_image by itself shows what lies in memory for a PNG's.
TEST(Decode, AColourThatThePaletteLacksIsBlack) {
  for (const auto& [name, short_name] : {std::pair{"kinds/png-palette-8.png", "kinds/png-palette-8-short.png"},
                                         {"kinds/bmp-8.bmp", "kinds/bmp-8-short.bmp"},
                                         {"kinds/bmp-1.bmp", "kinds/bmp-1-short.bmp"}}) {
    const auto whole = decoded(picture_bytes(name));
    const auto lacking = decoded(picture_bytes(short_name));
    ASSERT_TRUE(whole && lacking) << short_name;
    ASSERT_EQ(whole->pixels.size(), lacking->pixels.size());
    int kept = 0;
    int black = 0;
    for (std::size_t i = 0; i < whole->pixels.size(); i += 3) {
      const std::uint8_t* was = whole->pixels.data() + i;
      const std::uint8_t* is = lacking->pixels.data() + i;
      if (std::equal(was, was + 3, is))
        ++kept;
      else if (is[0] == 0 && is[1] == 0 && is[2] == 0)
        ++black;
      else
        FAIL() << short_name << " has a colour of its own at " << i / 3;
    }
    EXPECT_GT(kept, 100) << short_name;
    EXPECT_GT(black, 100) << short_name;
  }
}

TEST(Decode, AnOs2PaletteIsReadToItsEnd) {
  for (const char* bits : {"1", "4", "8"}) {
    const auto windows = decoded(picture_bytes(std::string("kinds/bmp-") + bits + ".bmp"));
    const auto os2 = decoded(picture_bytes(std::string("kinds/bmp-") + bits + "-os2.bmp"));
    ASSERT_TRUE(windows && os2);
    EXPECT_EQ(testing::values_of(*windows), testing::values_of(*os2)) << bits;
  }
}

TEST(Decode, ABmpThatNeedsAPaletteAndHasNoneIsCorrupt) {
  auto bytes = picture_bytes("kinds/bmp-8.bmp");
  bytes[10] = 14 + 40 + 3;  // the pixels begin before the palette's first colour ends
  bytes[11] = 0;
  EXPECT_EQ(decoded(bytes).error().code, ErrorCode::kCorruptImage);
}

// As Chromium reads it: alpha that is 0 throughout is none, and one pixel that has some makes the rest transparent.
TEST(Decode, ABmpsAlphaCountsOnlyWhereThereIsSome) {
  auto bytes = picture_bytes("kinds/bmp-32-alpha-v5.bmp");
  const auto with = decoded(bytes);
  for (std::size_t at = 14 + 124 + 3; at < bytes.size(); at += 4) bytes[at] = 0;
  const auto none = decoded(bytes);
  bytes[14 + 124 + 3] = 1;
  const auto hardly = decoded(bytes);
  ASSERT_TRUE(with && none && hardly);
  EXPECT_EQ(testing::values_of(*none), testing::values_of(*decoded(picture_bytes("kinds/bmp-24.bmp"))));
  EXPECT_NE(testing::values_of(*with), testing::values_of(*none));
  EXPECT_EQ(std::count(hardly->row(0), hardly->row(0) + 3 * hardly->width, 255), 3 * hardly->width);
}

// Ten bits a channel give their highest eight: v * 1023 / 255, rounded down, is at most one level from v.
TEST(Decode, ABmpsWideChannelsGiveTheirHighestBits) {
  const auto wide = decoded(picture_bytes("kinds/bmp-32-ten-bits.bmp"));
  const auto plain = decoded(picture_bytes("kinds/bmp-24.bmp"));
  ASSERT_TRUE(wide && plain);
  for (std::size_t i = 0; i < wide->pixels.size(); ++i)
    ASSERT_LE(std::abs(int{wide->pixels.data()[i]} - int{plain->pixels.data()[i]}), 1) << i;
}

TEST(Decode, Os2sShortHeaderIsThatOfTheLongOne) {
  for (const char* bits : {"4", "8"}) {
    const auto plain = decoded(picture_bytes(std::string("kinds/bmp-") + bits + ".bmp"));
    const auto shortened = decoded(picture_bytes(std::string("kinds/bmp-") + bits + "-os2-2-short.bmp"));
    ASSERT_TRUE(plain && shortened) << bits;
    EXPECT_EQ(testing::values_of(*plain), testing::values_of(*shortened)) << bits;
  }
}

TEST(Decode, BmpsThatMakeNoSenseHaveTheirCodes) {
  EXPECT_EQ(code_of("kinds/bmp-8-run-lengths-cut-off.bmp"), ErrorCode::kCorruptImage);
  EXPECT_EQ(code_of("kinds/bmp-jpeg.bmp"), ErrorCode::kUnsupportedFormat);
  const auto changed = [](const char* name, std::size_t at, std::uint8_t value) {
    auto bytes = picture_bytes(name);
    bytes[at] = value;
    return decoded(bytes).error().code;
  };
  EXPECT_EQ(changed("kinds/bmp-16-565.bmp", 54, 0x05), ErrorCode::kCorruptImage);  // a mask with a hole
  EXPECT_EQ(changed("kinds/bmp-16-565.bmp", 55, 0xFF), ErrorCode::kCorruptImage);  // a bit of two channels
  EXPECT_EQ(changed("kinds/bmp-24.bmp", 30, 1), ErrorCode::kUnsupportedFormat);    // run lengths of 24 bits
  EXPECT_EQ(changed("kinds/bmp-8.bmp", 30, 3), ErrorCode::kUnsupportedFormat);     // masks of 8 bits
  EXPECT_EQ(changed("kinds/bmp-24.bmp", 28, 2), ErrorCode::kUnsupportedFormat);    // 2 bits a pixel
  EXPECT_EQ(changed("kinds/bmp-24.bmp", 14, 70), ErrorCode::kUnsupportedFormat);   // no such header
  EXPECT_EQ(changed("kinds/bmp-24.bmp", 13, 1), ErrorCode::kCorruptImage);         // pixels beyond the end
  EXPECT_EQ(changed("kinds/bmp-24.bmp", 10, 53), ErrorCode::kCorruptImage);        // pixels within the header
}

// A part is what the whole picture shows there, whatever the pixels are stored as.
TEST(Decode, APartOfABmpIsThatOfTheWhole) {
  for (const char* name : {"1", "4", "8", "16-565", "24", "24-top-down", "32-junk", "32-alpha-v5", "4-run-lengths",
                           "8-run-lengths-skipping"}) {
    const auto bytes = picture_bytes(std::string("kinds/bmp-") + name + ".bmp");
    const auto header = inspect(bytes);
    const auto whole = decoded(bytes);
    const auto part = decode(bytes, *header, {13, 9, 30, 21}, 1);
    ASSERT_TRUE(whole && part) << name;
    for (int y = 0; y < 21; ++y)
      ASSERT_TRUE(std::equal(part->image.row(y), part->image.row(y) + 90, whole->row(9 + y) + 39)) << name << y;
  }
}

TEST(Decode, OnlyTheFirstPictureOfSeveralIsRead) {
  auto bytes = picture_bytes("spot-444.jpg");
  const auto second = picture_bytes("spot-gray.jpg");
  bytes.insert(bytes.end(), second.begin(), second.end());
  EXPECT_EQ(decoded(bytes)->pixels.size(), decoded(picture_bytes("spot-444.jpg"))->pixels.size());
}

}  // namespace
}  // namespace dermlet
