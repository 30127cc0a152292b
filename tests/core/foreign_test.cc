#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "formats/inspect.h"
#include "formats/stb.h"
#include "geometry/orientation.h"
#include "pipeline.h"
#include "support.h"

namespace dermlet {
namespace {

using testing::picture_bytes;
using testing::values_of;

std::vector<std::uint8_t> foreign(const std::string& name) { return picture_bytes("foreign/" + name); }

PrepareSpec spec() {
  PrepareSpec spec;
  spec.tensor = {64, 64, Layout::kNchw, ChannelOrder::kRgb, {127, 127, 127}, {128, 128, 128}};
  spec.preview_side = 100;
  return spec;
}

// The RGBA of a PNG, as a decoder elsewhere would hand it over.
Image rgba_of(const std::string& name) {
  const auto bytes = foreign(name);
  const StbPicture stb = stb_decode(bytes, std::size_t{16} << 20);
  auto image = Image::allocate(stb.width, stb.height, 4);
  for (int i = 0; i < stb.width * stb.height; ++i) {
    for (int c = 0; c < 4; ++c)
      image->pixels.data()[4 * i + c] = c < stb.channels ? stb.pixels[stb.channels * i + c] : std::uint8_t{255};
  }
  std::free(stb.pixels);
  return std::move(*image);
}

// As it comes from a decoder elsewhere.
ForeignPicture decoded(const std::string& name, Image pixels) {
  return {inspect(foreign(name)).value(), std::move(pixels)};
}

struct ForeignCase {
  std::string name;
  Format format;
  int width;
  int height;
  int orientation = 1;
};

TEST(Foreign, HeadersAreRead) {
  const std::vector<ForeignCase> cases = {
      {"lossy.webp", Format::kWebp, 160, 120},
      {"lossless.webp", Format::kWebp, 160, 120},
      {"lossless-alpha.webp", Format::kWebp, 160, 120},
      {"animated.webp", Format::kWebp, 160, 120},
      {"orientation-6.webp", Format::kWebp, 120, 160, 6},
      {"lossy.avif", Format::kAvif, 160, 120},
      {"alpha.avif", Format::kAvif, 160, 120},
      {"animated.avif", Format::kAvif, 160, 120},
      {"orientation-2.avif", Format::kAvif, 160, 120, 2},
      {"orientation-3.avif", Format::kAvif, 160, 120, 3},
      {"orientation-4.avif", Format::kAvif, 160, 120, 4},
      {"orientation-5.avif", Format::kAvif, 120, 160, 5},
      {"orientation-6.avif", Format::kAvif, 120, 160, 6},
      {"orientation-7.avif", Format::kAvif, 120, 160, 7},
      {"orientation-8.avif", Format::kAvif, 120, 160, 8},
      {"lossy.heic", Format::kHeic, 160, 120},
      {"orientation-6.heic", Format::kHeic, 120, 160, 6},
      {"tiles-profile.heic", Format::kHeic, 160, 120},
      {"tiles-codes.heic", Format::kHeic, 160, 120},
      {"tiles-several-ipma.heic", Format::kHeic, 120, 160, 6},
      {"tiles-identity.heic", Format::kHeic, 120, 160, 6},
      {"tiles-turned.heic", Format::kHeic, 160, 120},
      {"mif1.heic", Format::kHeic, 160, 120},
      {"mif1.avif", Format::kAvif, 160, 120},
  };
  for (const ForeignCase& one : cases) {
    const auto bytes = foreign(one.name);
    const auto header = inspect(bytes);
    ASSERT_TRUE(header) << one.name << ": " << header.error().message;
    EXPECT_EQ(header->format, one.format) << one.name;
    // HEIC is coded in whole blocks: the primary picture's own size is the one that counts.
    EXPECT_EQ(header->width, one.width) << one.name;
    EXPECT_EQ(header->height, one.height) << one.name;
    EXPECT_EQ(header->orientation, one.orientation) << one.name;
    for (const BytePatch& patch : header->neutralising) EXPECT_LT(patch.at, bytes.size()) << one.name;
  }
}

TEST(Foreign, WithItsChangesAFileSaysNothingOfOrientationOrProfile) {
  for (const char* name :
       {"orientation-6.webp", "orientation-2.avif", "orientation-7.avif", "orientation-6.heic", "tiles-profile.heic",
        "tiles-codes.heic", "tiles-several-ipma.heic", "tiles-identity.heic", "mif1.avif"}) {
    auto bytes = foreign(name);
    const auto header = inspect(bytes);
    ASSERT_TRUE(header) << name;
    for (const BytePatch& patch : header->neutralising) bytes[patch.at] = patch.value;
    const auto after = inspect(bytes);
    EXPECT_EQ(after->orientation, 1) << name;
    EXPECT_NE(name_of(after->colours.kind), name_of(ColourKind::kPrimaries)) << name;
    const Bytes profile = after->colours.profile.span();
    EXPECT_TRUE(profile.empty() || profile[36] == 0) << name;
  }
}

// A grid has the colours of its tiles where it states none itself, as early iPhones, Canon's and Sony's cameras write.
TEST(Foreign, ColoursOfTilesAreThoseOfTheirGrid) {
  const auto whole = inspect(foreign("profile.heic"));
  ASSERT_TRUE(whole);
  for (const char* name : {"tiles-profile.heic", "tiles-several-ipma.heic", "tiles-identity.heic", "tiles-turned.heic",
                           "mif1.heic", "mif1.avif"}) {
    const auto header = inspect(foreign(name));
    ASSERT_TRUE(header) << name;
    EXPECT_EQ(name_of(header->colours.kind), name_of(ColourKind::kProfile)) << name;
    EXPECT_TRUE(std::ranges::equal(header->colours.profile.span(), whole->colours.profile.span())) << name;
  }
  const auto codes = inspect(foreign("tiles-codes.heic"));
  ASSERT_TRUE(codes);
  EXPECT_EQ(name_of(codes->colours.kind), name_of(ColourKind::kPrimaries));
  EXPECT_NEAR(codes->colours.primaries[1].x, 0.680, 1e-9);
}

// The turns of tiles are not the picture's: decoders make them, tile by tile.
TEST(Foreign, TurnsOfTilesAreLeftToTheDecoder) {
  auto bytes = foreign("tiles-turned.heic");
  const auto header = inspect(bytes);
  ASSERT_TRUE(header);
  const auto turns_in = [](const std::vector<std::uint8_t>& file) {
    const auto at = std::search(file.begin(), file.end(), std::begin("irot"), std::begin("irot") + 4);
    return at == file.end() ? -1 : *(at + 4);
  };
  EXPECT_EQ(turns_in(bytes), 2);
  for (const BytePatch& patch : header->neutralising) bytes[patch.at] = patch.value;
  EXPECT_EQ(turns_in(bytes), 2);
}

// Decoders that go by brands alone would refuse a file whose only brand names no coding.
TEST(Foreign, TheCopyForDecodersNamesItsCoding) {
  for (const auto& [name, brand] : {std::pair{"mif1.heic", "heic"}, std::pair{"mif1.avif", "avif"}}) {
    auto bytes = foreign(name);
    const auto header = inspect(bytes);
    ASSERT_TRUE(header) << name;
    for (const BytePatch& patch : header->neutralising) bytes[patch.at] = patch.value;
    EXPECT_EQ(std::string(bytes.begin() + 4, bytes.begin() + 12), "ftyp" + std::string(brand));
  }
}

// Frames of an animation are not looked at: decoders get the picture that lies beside them, and nothing else.
TEST(Foreign, TheCopyForDecodersHasNoAnimation) {
  auto bytes = foreign("animated.avif");
  const auto has = [&](std::string_view name) {
    return std::search(bytes.begin(), bytes.end(), name.begin(), name.end()) != bytes.end();
  };
  ASSERT_TRUE(has("moov") && has("avis") && has("msf1"));
  const auto header = inspect(bytes);
  ASSERT_TRUE(header);
  for (const BytePatch& patch : header->neutralising) bytes[patch.at] = patch.value;
  EXPECT_FALSE(has("moov") || has("avis") || has("msf1"));
  EXPECT_EQ(std::string(bytes.begin() + 4, bytes.begin() + 12), "ftypavif");
}

TEST(Foreign, SizesOverTheLimitAreRefusedBeforeAnythingIsDecoded) {
  for (const char* name : {"huge.webp", "huge.avif", "huge.heic"})
    EXPECT_EQ(inspect(foreign(name)).error().code, ErrorCode::kImageTooLarge) << name;
}

TEST(Foreign, CutAtEveryByteEachIsAnswered) {
  for (const char* name : {"lossy.webp", "lossless.webp", "orientation-6.webp", "profile.webp", "orientation-7.avif",
                           "profile.avif", "orientation-6.heic", "mif1.heic", "mif1.avif"}) {
    const auto bytes = foreign(name);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      const std::vector<std::uint8_t> cut(
          bytes.begin(),
          bytes.begin() + static_cast<std::ptrdiff_t>(n));  // of its own, so that a sanitizer sees its end
      ASSERT_FALSE(inspect(cut)) << name << " cut at " << n;
    }
  }
}

TEST(Foreign, EveryHeaderByteFlippedIsAnswered) {
  for (const char* name : {"orientation-6.webp", "profile.webp", "orientation-7.avif", "orientation-6.heic",
                           "tiles-several-ipma.heic", "tiles-identity.heic", "mif1.avif"}) {
    const auto bytes = foreign(name);
    for (std::size_t at = 0; at < std::min<std::size_t>(bytes.size(), 1024); ++at) {
      for (const auto with : std::to_array<std::uint8_t>({0x01, 0x80, 0xFF})) {
        auto broken = bytes;
        broken[at] ^= with;
        const auto header = inspect(broken);
        if (!header) continue;
        EXPECT_GE(header->width, 1);
        EXPECT_LE(static_cast<std::size_t>(header->width) * static_cast<std::size_t>(header->height), kMaxPixels);
        for (const BytePatch& patch : header->neutralising) EXPECT_LT(patch.at, broken.size());
      }
    }
  }
}

TEST(Foreign, WithoutPixelsItIsNamedAndNotDecoded) {
  EXPECT_EQ(prepare(foreign("lossy.webp"), spec()).error().code, ErrorCode::kUnsupportedFormat);
}

TEST(Foreign, DecodedPixelsGiveWhatThePngOfTheSameDrawingGives) {
  for (const auto& [name, png, colour] : {std::tuple{"lossless.webp", "drawing.png", ColourSource::kAssumedSrgb},
                                          std::tuple{"lossless-alpha.webp", "alpha.png", ColourSource::kAssumedSrgb},
                                          std::tuple{"profile.webp", "profile.png", ColourSource::kConverted},
                                          std::tuple{"profile.avif", "profile.png", ColourSource::kConverted},
                                          std::tuple{"profile.heic", "profile.png", ColourSource::kConverted},
                                          std::tuple{"tiles-profile.heic", "profile.png", ColourSource::kConverted},
                                          std::tuple{"lossy.avif", "drawing.png", ColourSource::kSrgb}}) {
    for (const std::optional<Rect> crop : {std::optional<Rect>(), std::optional(Rect{20, 10, 90, 80})}) {
      const auto expected = prepare(foreign(png), spec(), crop);
      const auto found = prepare(decoded(name, rgba_of(png)), spec(), crop);
      ASSERT_TRUE(expected && found) << name;
      EXPECT_EQ(values_of(found->view), values_of(expected->view)) << name;
      EXPECT_EQ(values_of(found->preview), values_of(expected->preview)) << name;
      EXPECT_EQ(found->source.colour, colour) << name;
    }
  }
}

TEST(Foreign, DecodedPixelsAreTurnedUpright) {
  const auto expected = prepare(foreign("drawing.png"), spec());
  for (int orientation = 2; orientation <= 8; ++orientation) {
    // Of these turns each is undone by itself, but those of a quarter, which undo each other.
    constexpr std::array kUndo = {0, 1, 2, 3, 4, 5, 8, 7, 6};
    auto stored = turn_upright(rgba_of("drawing.png"), kUndo[static_cast<std::size_t>(orientation)]);
    const auto found =
        prepare(decoded("orientation-" + std::to_string(orientation) + ".avif", std::move(*stored)), spec());
    ASSERT_TRUE(found) << orientation;
    EXPECT_EQ(found->source.orientation, orientation);
    EXPECT_EQ(found->source.width, 160);
    EXPECT_EQ(values_of(found->view), values_of(expected->view)) << orientation;
  }
}

TEST(Foreign, PixelsOfAnotherSizeOrForAnotherFileAreRefused) {
  const auto code = [](const std::string& name, Image pixels) {
    return prepare(decoded(name, std::move(pixels)), spec()).error().code;
  };
  EXPECT_EQ(code("orientation-6.webp", rgba_of("drawing.png")),
            ErrorCode::kInvalidArgument);  // 160 wide, and the file says 120
  EXPECT_EQ(code("drawing.png", rgba_of("drawing.png")), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("lossy.webp", Image{}), ErrorCode::kInvalidArgument);
  Image lacking = rgba_of("drawing.png");
  lacking.height -= 1;
  EXPECT_EQ(code("lossy.webp", std::move(lacking)), ErrorCode::kInvalidArgument);
}

TEST(Foreign, FilesOfSeveralPicturesShowTheFirst) {
  const auto expected = prepare(foreign("first.jpg"), spec());
  ASSERT_TRUE(expected);
  for (const char* name : {"first-multi-picture.jpg", "first-gain-map.jpg", "first-motion-photo.jpg"}) {
    const auto found = prepare(foreign(name), spec());
    ASSERT_TRUE(found) << name << ": " << found.error().message;
    EXPECT_EQ(values_of(found->view), values_of(expected->view)) << name;
  }
}

}  // namespace
}  // namespace dermlet
