#include "formats/sniff.h"

#include <gtest/gtest.h>

#include "support.h"

namespace dermlet {
namespace {

using testing::picture_bytes;

TEST(Sniff, KnowsWhatCanBeDecoded) {
  EXPECT_EQ(sniff(picture_bytes("spot.jpg")), Format::kJpeg);
  EXPECT_EQ(sniff(picture_bytes("spot.png")), Format::kPng);
  EXPECT_EQ(sniff(picture_bytes("spot.bmp")), Format::kBmp);
}

TEST(Sniff, KnowsWhatIsDecodedElsewhere) {
  using namespace std::string_literals;
  const auto sniffed = [](const std::string& bytes) {
    return sniff({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  };
  EXPECT_EQ(sniffed("RIFF\x10\0\0\0WEBPVP8 "s), Format::kWebp);
  EXPECT_EQ(sniffed("\0\0\0\x18"
                    "ftypheic\0\0\0\0"s),
            Format::kHeic);
  EXPECT_EQ(sniffed("\0\0\0\x18"
                    "ftypavif\0\0\0\0"s),
            Format::kAvif);
  EXPECT_EQ(sniffed("\0\0\0\x1C"
                    "ftypmif1\0\0\0\0miafheic"s),
            Format::kHeic);
  EXPECT_EQ(sniffed("\0\0\0\x1C"
                    "ftypmif1\0\0\0\0miafavif"s),
            Format::kAvif);
  // The brand behind the box's end is none.
  EXPECT_FALSE(
      sniffed("\0\0\0\x14"
              "ftypmif1\0\0\0\0miafavif"s));
}

struct Named {
  std::string bytes;
  std::string name;
};

TEST(Sniff, NamesWhatCannot) {
  using namespace std::string_literals;
  const std::vector<Named> cases = {
      {"GIF89a......", "a GIF"},
      {"RIFF\x10\0\0\0AVI LIST"s, "an audio or video file"},
      {"\0\0\0\x18"
       "ftypmif1\0\0\0\0mif1miaf"s,
       "a HEIF picture"},
      {"\0\0\0\x18"
       "ftypcrx \0\0\0\0"s,
       "a camera raw file"},
      {"\0\0\0\x18"
       "ftypisom\0\0\0\0"s,
       "a video"},
      {"II*\0\x08\0\0\0"s, "a TIFF"},
      {"MM\0*\0\0\0\x08"s, "a TIFF"},
      {"%PDF-1.7", "a PDF"},
      {"<?xml version=\"1.0\"?><svg/>", "an SVG"},
      {"<!DOCTYPE html><html>", "a web page"},
      {"Dear doctor,\n", "a text file"},
      {"BM is how this text begins, and it is no bitmap", "a text file"},
      {"PK\3\4....", "a ZIP"},
      {"\x01\x02\x03", "no known picture format"},
      {std::string(128, '\0') + "DICM", "a DICOM file"},
  };
  for (const Named& one : cases) {
    const auto sniffed = sniff({reinterpret_cast<const std::uint8_t*>(one.bytes.data()), one.bytes.size()});
    ASSERT_FALSE(sniffed) << one.name;
    EXPECT_EQ(sniffed.error().code, ErrorCode::kUnsupportedFormat);
    EXPECT_NE(sniffed.error().message.find(one.name), std::string::npos) << sniffed.error().message;
  }
}

TEST(Sniff, AnEmptyFileIsCorrupt) { EXPECT_EQ(sniff({}).error().code, ErrorCode::kCorruptImage); }

TEST(Sniff, EveryPrefixIsAnswered) {
  for (const char* name : {"spot.jpg", "spot.png", "spot.bmp", "picture.gif", "picture.webp"}) {
    const auto bytes = picture_bytes(name);
    for (std::size_t n = 0; n < 64; ++n) (void)sniff(Bytes(bytes).first(n));
  }
}

}  // namespace
}  // namespace dermlet
