#include "colour/colour.h"

#include <gtest/gtest.h>

#include <sstream>

#include "formats/header.h"
#include "formats/inspect.h"
#include "formats/png/png.h"
#include "formats/stb.h"
#include "pipeline.h"
#include "support.h"

namespace dermlet {
namespace {

using Octets = std::vector<std::uint8_t>;
using testing::picture_bytes;
using testing::values_of;

void append_u32(Octets& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

Octets octets(std::string_view text) { return {text.begin(), text.end()}; }

Octets joined(std::initializer_list<Octets> parts) {
  Octets all;
  for (const Octets& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::string said(const Octets& file) {
  const auto header = inspect(file);
  if (!header) return "(" + header.error().message + ")";
  auto converter = Converter::allocate().value();
  return std::string(name_of(set_converter(header->colours, header->channels, converter)));
}

Octets profile(const std::string& wanted) {
  std::ifstream file(testing::tests_dir() / "golden/icc.golden");
  std::string name, icc, expected;
  while (file >> name >> icc >> expected) {
    if (name == wanted) return testing::from_hex(icc);
  }
  ADD_FAILURE() << wanted;
  return {};
}

TEST(Colour, ViewsAreThoseOfLittleCmsAndPillowWithinOneLevel) {
  std::ifstream file(testing::tests_dir() / "golden/colours.golden");
  std::string name, source, hex;
  int side = 0;
  int cases = 0;
  while (file >> name >> source >> side >> hex) {
    PrepareSpec spec;
    spec.tensor.width = spec.tensor.height = side;
    const auto prepared = prepare(picture_bytes(name), spec);
    ASSERT_TRUE(prepared) << name << ": " << prepared.error().message;
    EXPECT_EQ(name_of(prepared->source.colour), source) << name;
    const Octets expected = testing::from_hex(hex);
    const Octets view = values_of(prepared->view);
    ASSERT_EQ(view.size(), expected.size());
    int greatest = 0;
    for (std::size_t i = 0; i < view.size(); ++i)
      greatest = std::max(greatest, std::abs(int{view[i]} - int{expected[i]}));
    EXPECT_LE(greatest, source == "converted" ? 1 : 0) << name;
    ++cases;
  }
  EXPECT_EQ(cases, 17);
}

TEST(Colour, PreviewAndCropAreConvertedToo) {
  PrepareSpec spec;
  spec.tensor.width = spec.tensor.height = 48;
  spec.preview_side = 160;
  for (const char* name : {"adobe-rgb.png", "p3.jpg", "adobe-rgb-alpha.png"}) {
    const auto whole = prepare(picture_bytes(name), spec);
    const auto cropped = prepare(picture_bytes(name), spec, Rect{30, 20, 48, 48});
    ASSERT_TRUE(whole && cropped) << name;
    EXPECT_EQ(values_of(whole->preview), values_of(cropped->preview)) << name;
    for (int y = 0; y < 48; ++y) {
      const std::uint8_t* from = whole->preview.row(20 + y) + 30 * 3;
      ASSERT_TRUE(std::equal(from, from + 48 * 3, cropped->view.row(y))) << name << " row " << y;
    }
  }
}

// ---- JPEG

Octets segment(const Octets& payload) {
  Octets bytes = {0xFF, 0xE2, static_cast<std::uint8_t>((payload.size() + 2) >> 8),
                  static_cast<std::uint8_t>(payload.size() + 2)};
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

Octets piece(int number, int count, const Octets& data) {
  using namespace std::string_view_literals;
  return segment(
      joined({octets("ICC_PROFILE\0"sv), {static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(count)}, data}));
}

Octets part_of(const Octets& whole, std::size_t i, std::size_t n) {
  return {whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * i / n),
          whole.begin() + static_cast<std::ptrdiff_t>(whole.size() * (i + 1) / n)};
}

Octets jpeg_with(std::initializer_list<Octets> segments) {
  Octets bytes = picture_bytes("spot-444.jpg");
  const Octets all = joined(segments);
  bytes.insert(bytes.begin() + 2, all.begin(), all.end());
  return bytes;
}

TEST(Colour, AJpegsProfileMayComeInPiecesInAnyOrder) {
  const Octets icc = profile("display-p3");
  const Octets a = part_of(icc, 0, 3), b = part_of(icc, 1, 3), c = part_of(icc, 2, 3);
  EXPECT_EQ(said(picture_bytes("spot-444.jpg")), "assumed-srgb");
  EXPECT_EQ(said(jpeg_with({piece(1, 1, icc)})), "converted");
  EXPECT_EQ(said(jpeg_with({piece(1, 3, a), piece(2, 3, b), piece(3, 3, c)})), "converted");
  EXPECT_EQ(said(jpeg_with({piece(3, 3, c), segment(octets("MPF")), piece(1, 3, a), piece(2, 3, b)})), "converted");
  const auto header = inspect(jpeg_with({piece(2, 3, b), piece(3, 3, c), piece(1, 3, a)}));
  EXPECT_EQ(header->orientation, 1);
}

TEST(Colour, AJpegsProfileThatIsIncompleteOrContradictsItselfIsReported) {
  const Octets icc = profile("display-p3");
  const Octets a = part_of(icc, 0, 2), b = part_of(icc, 1, 2);
  const auto broken = [](std::initializer_list<Octets> segments) {
    EXPECT_EQ(said(jpeg_with(segments)), "unsupported-profile");
  };
  broken({piece(1, 2, a)});                                  // one missing
  broken({piece(1, 2, a), piece(2, 3, b)});                  // counts differ
  broken({piece(1, 2, a), piece(1, 2, a)});                  // twice the same
  broken({piece(1, 1, icc), piece(1, 1, icc)});              // twice the whole
  broken({piece(1, 2, a), piece(2, 2, b), piece(2, 2, b)});  // one too many
  broken({piece(0, 2, a), piece(1, 2, a), piece(2, 2, b)});  // numbers begin at 1
  broken({piece(3, 2, a), piece(1, 2, b)});                  // a number beyond the count
  broken({piece(2, 2, a), piece(1, 2, b)});                  // wrong way round
  broken({piece(1, 1, {})});                                 // nothing in it
  broken({piece(1, 1, octets("no profile"))});
  using namespace std::string_view_literals;
  broken({segment(octets("ICC_PROFILE\0"sv))});  // not even numbers
  broken({segment(octets("ICC_PROFILE\0\1"sv))});
  EXPECT_EQ(said(jpeg_with({segment(octets("ICC_PROFILE"))})), "assumed-srgb");
}

// EXIF that says R03, Adobe RGB, as cameras do that attach no profile.
Octets r03() {
  using namespace std::string_view_literals;
  const Octets tiff =
      joined({octets("Exif\0\0MM\0*\0\0\0\10"sv), octets("\0\1\x87\x69\0\4\0\0\0\1\0\0\0\x1A\0\0\0\0"sv),
              octets("\0\2\xA0\1\0\3\0\0\0\1\xFF\xFF\0\0\xA0\5\0\4\0\0\0\1\0\0\0\x38\0\0\0\0"sv),
              octets("\0\1\0\1\0\2\0\0\0\4R03\0\0\0\0\0"sv)});
  Octets bytes = segment(tiff);
  bytes[1] = 0xE1;
  return bytes;
}

TEST(Colour, ExifsAdobeRgbIsThatOfTheProfileAndAProfileCountsForMore) {
  EXPECT_EQ(said(jpeg_with({r03()})), "converted");
  PrepareSpec spec;
  spec.tensor.width = spec.tensor.height = 64;
  const auto stated = prepare(jpeg_with({r03()}), spec);
  const auto attached = prepare(jpeg_with({piece(1, 1, profile("adobe-rgb"))}), spec);
  const auto plain = prepare(picture_bytes("spot-444.jpg"), spec);
  ASSERT_TRUE(stated && attached && plain);
  const Octets a = values_of(stated->view), b = values_of(attached->view);
  int greatest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) greatest = std::max(greatest, std::abs(int{a[i]} - int{b[i]}));
  EXPECT_LE(greatest, 1);
  EXPECT_NE(a, values_of(plain->view));
  const auto both = prepare(jpeg_with({r03(), piece(1, 1, profile("display-p3"))}), spec);
  const auto profiled = prepare(jpeg_with({piece(1, 1, profile("display-p3"))}), spec);
  ASSERT_TRUE(both && profiled);
  EXPECT_EQ(values_of(both->view), values_of(profiled->view));
}

TEST(Colour, AProfileOverTheLimitIsReported) {
  const Octets icc = profile("display-p3");
  Octets bytes;
  const Octets filler(65'000);
  for (int i = 2; i <= 70; ++i) {
    const Octets one = piece(i, 70, filler);
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  EXPECT_EQ(said(jpeg_with({piece(1, 70, icc), bytes})), "unsupported-profile");
}

TEST(Colour, ProfilesMustFitThePicturesChannels) {
  const auto grey_file = picture_bytes("gray-gamma.jpg");
  EXPECT_EQ(said(grey_file), "converted");
  EXPECT_EQ(said(jpeg_with({piece(1, 1, profile("gray-1.8"))})), "unsupported-profile");
  Octets cmyk = picture_bytes("spot-cmyk.jpg");
  EXPECT_EQ(said(cmyk), "assumed-srgb");
  const Octets one = piece(1, 1, profile("display-p3"));
  cmyk.insert(cmyk.begin() + 2, one.begin(), one.end());
  EXPECT_EQ(said(cmyk), "unsupported-profile");
  EXPECT_EQ(said(jpeg_with({piece(1, 1, profile("cmyk-lut8"))})), "unsupported-profile");
  EXPECT_EQ(said(jpeg_with({piece(1, 1, profile("table-lut16"))})), "converted");
  // Grey shown by an RGB profile is its neutral axis.
  Octets grey = picture_bytes("spot-gray.jpg");
  const Octets rgb = piece(1, 1, profile("gamma-1.8"));
  grey.insert(grey.begin() + 2, rgb.begin(), rgb.end());
  EXPECT_EQ(said(grey), "converted");
}

// ---- PNG

Octets chunk(std::string_view type, const Octets& data, bool broken = false) {
  Octets body = joined({octets(type), data});
  const std::uint32_t crc = png_crc32(body) ^ (broken ? 1u : 0u);
  Octets bytes;
  append_u32(bytes, static_cast<std::uint32_t>(data.size()));
  bytes = joined({bytes, body});
  append_u32(bytes, crc);
  return bytes;
}

Octets numbers(std::initializer_list<std::uint32_t> values) {
  Octets bytes;
  for (const std::uint32_t value : values) append_u32(bytes, value);
  return bytes;
}

// A zlib stream of stored blocks.
Octets stored(const Octets& data) {
  Octets bytes = {0x78, 0x01};
  for (std::size_t at = 0; at < data.size() || at == 0; at += 60'000) {
    const std::size_t n = std::min<std::size_t>(60'000, data.size() - at);
    bytes.insert(bytes.end(), {static_cast<std::uint8_t>(at + n == data.size()), static_cast<std::uint8_t>(n),
                               static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(~n),
                               static_cast<std::uint8_t>(~n >> 8)});
    bytes.insert(bytes.end(), data.begin() + static_cast<std::ptrdiff_t>(at),
                 data.begin() + static_cast<std::ptrdiff_t>(at + n));
  }
  append_u32(bytes, 0);  // the checksum, which is not looked at
  return bytes;
}

Octets iccp(const Octets& icc) { return joined({{'p', 0, 0}, stored(icc)}); }

Octets png_with(std::initializer_list<Octets> chunks, const std::string& name = "tiny.png") {
  Octets bytes = picture_bytes(name);
  const Octets all = joined(chunks);
  bytes.insert(bytes.begin() + 33, all.begin(), all.end());
  return bytes;
}

const Octets kSrgbChrm = numbers({31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000});
const Octets kP3Chrm = numbers({31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000});

TEST(Colour, PngChunksInTheStandardsOrder) {
  const Octets p3 = chunk("iCCP", iccp(profile("display-p3")));
  const Octets srgb = chunk("sRGB", {0});
  const Octets linear = chunk("gAMA", numbers({100'000}));
  const Octets cicp_srgb = chunk("cICP", {1, 13, 0, 1});
  const Octets cicp_pq = chunk("cICP", {9, 16, 0, 1});
  EXPECT_EQ(said(png_with({})), "assumed-srgb");
  EXPECT_EQ(said(png_with({p3})), "converted");
  EXPECT_EQ(said(png_with({srgb})), "srgb");
  EXPECT_EQ(said(png_with({srgb, p3})), "converted");
  EXPECT_EQ(said(png_with({srgb, linear})), "srgb");
  EXPECT_EQ(said(png_with({linear, chunk("iCCP", iccp(profile("srgb-para")))})), "srgb");
  EXPECT_EQ(said(png_with({cicp_srgb, linear})), "srgb");
  EXPECT_EQ(said(png_with({cicp_pq})), "unsupported-profile");
  EXPECT_EQ(said(png_with({cicp_pq, srgb})), "unsupported-profile");
  EXPECT_EQ(said(png_with({cicp_pq, p3})), "converted");
  const auto codes = [](const Octets& data) { return said(png_with({chunk("cICP", data)})); };
  EXPECT_EQ(codes({12, 13, 0, 1}), "converted");
  EXPECT_EQ(codes({9, 13, 0, 1}), "converted");
  EXPECT_EQ(codes({1, 8, 0, 1}), "converted");             // linear
  EXPECT_EQ(codes({1, 1, 0, 1}), "srgb");                  // BT.709's curve
  EXPECT_EQ(codes({2, 2, 0, 1}), "assumed-srgb");          // says nothing
  EXPECT_EQ(codes({9, 18, 0, 1}), "unsupported-profile");  // HLG
  EXPECT_EQ(codes({22, 13, 0, 1}), "unsupported-profile");
  EXPECT_EQ(codes({12, 13, 1, 1}), "unsupported-profile");  // not RGB
  EXPECT_EQ(codes({12, 13, 0, 0}), "unsupported-profile");  // not all levels are used
  EXPECT_EQ(codes({12, 13, 0}), "unsupported-profile");
  // Codes go before a profile, and the same primaries by either are the same.
  const Octets srgb_profile = chunk("iCCP", iccp(profile("srgb-para")));
  EXPECT_EQ(said(png_with({chunk("cICP", {12, 13, 0, 1}), srgb_profile})), "converted");
  EXPECT_EQ(said(png_with({chunk("cICP", {2, 2, 0, 1}), srgb_profile})), "srgb");
}

TEST(Colour, GamaAndChrm) {
  const auto gama = [](std::uint32_t value) { return chunk("gAMA", numbers({value})); };
  EXPECT_EQ(said(png_with({gama(45'455)})), "srgb");
  EXPECT_EQ(said(png_with({gama(45'000)})), "srgb");
  EXPECT_EQ(said(png_with({gama(45'455), chunk("cHRM", kSrgbChrm)})), "srgb");
  EXPECT_EQ(said(png_with({chunk("cHRM", kSrgbChrm)})), "srgb");
  EXPECT_EQ(said(png_with({gama(45'455), chunk("cHRM", kP3Chrm)})), "converted");
  EXPECT_EQ(said(png_with({chunk("cHRM", kP3Chrm)})), "converted");
  EXPECT_EQ(said(png_with({gama(55'556)})), "converted");
  EXPECT_EQ(said(png_with({gama(0)})), "unsupported-profile");
  EXPECT_EQ(said(png_with({gama(1)})), "unsupported-profile");
  EXPECT_EQ(said(png_with({gama(0xFFFFFFFFu)})), "unsupported-profile");
  EXPECT_EQ(said(png_with({chunk("gAMA", {1, 2})})), "unsupported-profile");
  EXPECT_EQ(said(png_with({chunk("cHRM", numbers({1, 2, 3}))})), "unsupported-profile");
  EXPECT_EQ(said(png_with({chunk("cHRM", numbers({0, 0, 0, 0, 0, 0, 0, 0}))})), "unsupported-profile");
  EXPECT_EQ(said(png_with({gama(55'556)}, "spot-gray.png")), "converted");
}

TEST(Colour, BrokenPngProfilesAreReported) {
  const Octets icc = profile("display-p3");
  EXPECT_EQ(said(png_with({chunk("iCCP", iccp(icc), true)})), "unsupported-profile");  // checksum
  EXPECT_EQ(said(png_with({chunk("iCCP", {})})), "unsupported-profile");
  EXPECT_EQ(said(png_with({chunk("iCCP", {'p', 0})})), "unsupported-profile");
  EXPECT_EQ(said(png_with({chunk("iCCP", joined({{'p', 0, 1}, stored(icc)}))})),
            "unsupported-profile");  // unknown compression
  EXPECT_EQ(said(png_with({chunk("iCCP", joined({Octets(100, 'p'), {0, 0}, stored(icc)}))})), "unsupported-profile");
  EXPECT_EQ(said(png_with({chunk("iCCP", joined({{'p', 0, 0}, icc}))})), "unsupported-profile");  // not compressed
  EXPECT_EQ(said(png_with({chunk("iCCP", iccp(profile("gray-1.8")))})), "unsupported-profile");   // grey on colours
  EXPECT_EQ(said(png_with({chunk("iCCP", iccp(profile("gray-1.8")))}, "spot-gray.png")), "converted");
  Octets large = icc;
  large.resize(kMaxProfileBytes + 1);
  EXPECT_EQ(said(png_with({chunk("iCCP", iccp(large))})), "unsupported-profile");
  EXPECT_TRUE(stb_inflate(stored(large), kMaxProfileBytes).empty());
  EXPECT_EQ(stb_inflate(stored(icc), kMaxProfileBytes).size(), icc.size());
}

TEST(Colour, WordsAfterThePicturesDataDoNotCount) {
  Octets bytes = picture_bytes("tiny.png");
  const Octets late = chunk("gAMA", numbers({100'000}));
  bytes.insert(bytes.end() - 12, late.begin(), late.end());
  EXPECT_EQ(said(bytes), "assumed-srgb");
}

// ---- BMP

Octets bmp_v5(std::string_view space, const Octets& icc) {
  const auto u32 = [](std::uint32_t v) {
    return Octets{static_cast<std::uint8_t>(v), static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v >> 16),
                  static_cast<std::uint8_t>(v >> 24)};
  };
  const std::uint32_t data_at = 14 + 124;
  const Octets masks = joined({u32(0), u32(0), u32(0), u32(0)});
  const auto size = static_cast<std::uint32_t>(icc.size());
  return joined(
      {octets("BM"),    u32(0),  u32(0),        u32(data_at), u32(124), u32(2),          u32(2), {1, 0, 24, 0},
       u32(0),          u32(16), u32(0),        u32(0),       u32(0),   u32(0),          masks,  octets(space),
       Octets(36 + 12), u32(4),  u32(124 + 16), u32(size),    u32(0),   Octets(16, 200), icc});
}

TEST(Colour, BmpsOfVersionFiveSayTheirs) {
  EXPECT_EQ(said(picture_bytes("spot.bmp")), "assumed-srgb");
  EXPECT_EQ(said(bmp_v5("BGRs", {})), "srgb");
  EXPECT_EQ(said(bmp_v5(" niW", {})), "assumed-srgb");
  EXPECT_EQ(said(bmp_v5("KNIL", {})), "unsupported-profile");
  EXPECT_EQ(said(bmp_v5("DEBM", profile("display-p3"))), "converted");
  EXPECT_EQ(said(bmp_v5("DEBM", profile("srgb-para"))), "srgb");
  EXPECT_EQ(said(bmp_v5("DEBM", {})), "unsupported-profile");
  Octets cut = bmp_v5("DEBM", profile("display-p3"));
  cut.pop_back();
  EXPECT_EQ(said(cut), "unsupported-profile");
}

// Whatever is flipped in a file that carries a profile, it is survived.
TEST(Colour, EveryFlippedByteOfAFilesHeadIsSurvived) {
  PrepareSpec spec;
  spec.tensor.width = spec.tensor.height = 8;
  for (const char* name : {"p3.jpg", "gray-gamma.png", "gama-chrm.png"}) {
    const auto whole = picture_bytes(name);
    for (std::size_t at = 0; at < 700; ++at) {
      Octets bytes = whole;
      bytes[at] ^= 0xFF;
      const auto header = inspect(bytes);
      if (header && static_cast<std::int64_t>(header->width) * header->height < 1'000'000) (void)prepare(bytes, spec);
    }
  }
}

}  // namespace
}  // namespace dermlet
