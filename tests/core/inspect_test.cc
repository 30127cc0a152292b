#include "formats/inspect.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "pipeline.h"
#include "support.h"

namespace dermlet {
namespace {

using testing::picture_bytes;

struct HeaderCase {
  std::string name;
  int channels;
  ColourKind kind;
};

TEST(Inspect, SaysHowEachFormatDescribesItsColours) {
  for (const auto& [name, channels, kind] : std::vector<HeaderCase>{
           {"spot.jpg", 3, ColourKind::kNone},
           {"spot-gray.jpg", 1, ColourKind::kNone},
           {"spot-cmyk.jpg", 4, ColourKind::kNone},
           {"p3.jpg", 3, ColourKind::kProfile},
           {"srgb-profile.jpg", 3, ColourKind::kProfile},
           {"adobe-rgb-alpha.png", 3, ColourKind::kProfile},
           {"gray-gamma.png", 1, ColourKind::kProfile},
           {"gama-chrm.png", 3, ColourKind::kPrimaries},
           {"spot.bmp", 3, ColourKind::kNone},
           {"foreign/lossy.webp", 3, ColourKind::kNone},
           {"foreign/profile.webp", 3, ColourKind::kProfile},
           {"foreign/lossy.avif", 3, ColourKind::kSrgb},
           {"foreign/profile.avif", 3, ColourKind::kProfile},
           {"foreign/profile.heic", 3, ColourKind::kProfile},
       }) {
    const auto header = inspect(picture_bytes(name));
    ASSERT_TRUE(header) << name << ": " << header.error().message;
    EXPECT_EQ(header->channels, channels) << name;
    EXPECT_EQ(name_of(header->colours.kind), name_of(kind)) << name;
    EXPECT_EQ(header->colours.profile.empty(), kind != ColourKind::kProfile) << name;
  }
}

// The profile is a copy: the pixels of a foreign file are prepared when its bytes are long gone.
TEST(Inspect, AHeaderOutlivesItsFile) {
  auto bytes = picture_bytes("foreign/profile.webp");
  const auto header = inspect(bytes);
  ASSERT_TRUE(header);
  const auto at = std::search(bytes.begin(), bytes.end(), header->colours.profile.span().begin(),
                              header->colours.profile.span().end());
  EXPECT_NE(at, bytes.end());
  std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});
  EXPECT_EQ(read_u32(header->colours.profile.span(), 36, ByteOrder::kBig), 0x61637370u);  // 'acsp'
}

TEST(Inspect, APngsChecksumsAreLeftToThoseWhoDecodeIt) {
  auto bytes = picture_bytes("spot.png");
  bytes[bytes.size() / 2] ^= 1;
  const auto header = inspect(bytes);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->format, Format::kPng);
  PrepareSpec spec;
  spec.tensor.width = spec.tensor.height = 8;
  const auto prepared = prepare(bytes, spec);
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().code, ErrorCode::kCorruptImage);
  EXPECT_NE(prepared.error().message.find("checksum"), std::string::npos) << prepared.error().message;
}

TEST(Inspect, FilesOverTheLimitAreRefused) {
  const std::vector<std::uint8_t> large(kMaxFileBytes + 1);
  EXPECT_EQ(inspect(large).error().code, ErrorCode::kImageTooLarge);
}

}  // namespace
}  // namespace dermlet
