#include "formats/sniff.h"

#include <gtest/gtest.h>

#include <algorithm>

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
  // Whatever brand comes first.
  EXPECT_EQ(sniffed("\0\0\0\x1C"
                    "ftypMiHE\0\0\0\0mif1heix"s),
            Format::kHeic);
  // By what the pictures are coded in, where the brands do not say.
  EXPECT_EQ(sniff(picture_bytes("foreign/mif1.heic")), Format::kHeic);
  EXPECT_EQ(sniff(picture_bytes("foreign/mif1.avif")), Format::kAvif);
  for (const std::string& brand : {"msf1"s, "MiHB"s, "isom"s, "\0\0\0\0"s}) {
    auto bytes = picture_bytes("foreign/mif1.heic");
    for (const std::ptrdiff_t at : {8, 16}) std::copy(brand.begin(), brand.end(), bytes.begin() + at);
    EXPECT_EQ(sniff(bytes), Format::kHeic) << brand;
  }
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
      {"GIF89a......", "a GIF; JPEG, PNG, BMP, WebP, AVIF and HEIC can be read: save it as JPEG or PNG"},
      {"RIFF\x10\0\0\0AVI LIST"s, "a video; JPEG, PNG, BMP, WebP, AVIF and HEIC can be read: pause"},
      {"\0\0\0\x18"
       "ftypmif1\0\0\0\0mif1miaf"s,
       "a HEIF picture of a coding that is not read"},
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
      {std::string(128, '\0') + "DICM", "a DICOM file; JPEG, PNG, BMP, WebP, AVIF and HEIC can be read: export"},
      {"II*\0\x08\0\0\0"s + std::string(120, '\0') + "DICM", "a DICOM file"},
      {"\2\0\0\0UL\4\0\xC8\0\0\0"s, "a DICOM file"},
      {"\x8\0\5\0CS\n\0ISO_IR 100"s, "a DICOM file"},
      {"\x8\0\0\0\4\0\0\0\xC8\0\0\0"s, "a DICOM file"},
      {"\xFF\x0A\xFA", "a JPEG XL picture; "},
      {"\0\0\0\x0CJXL \r\n\x87\n"s, "a JPEG XL picture"},
      {"II*\0\x10\0\0\0CR\2\0"s, "a camera raw file"},
      {"IIU\0\x18\0\0\0"s, "a camera raw file"},
      {"FUJIFILMCCD-RAW 0201", "a camera raw file"},
      {"MM\0+\0\x08\0\0"s, "a TIFF"},
      {"RIFF\x10\0\0\0WAVEfmt "s, "an audio file"},
      {"\0\0\1\xBA\x44"s, "a video"},
      {"\0\0\0\x08wide\0\0\0\0mdat"s, "a video"},
      {"\x1A\x45\xDF\xA3", "a video"},
      {"\0\5\x16\7\0\2\0\0"s, "a companion file of macOS"},
      {"Rar!\x1A\7"s, "a RAR archive; "},
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
