#include "formats/jpeg/jpeg.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "formats/inspect.h"
#include "geometry/orientation.h"
#include "pipeline.h"
#include "support.h"

namespace dermlet {
namespace {

using testing::picture_bytes;

Reduced whole(const std::vector<std::uint8_t>& bytes, int reduction) {
  const Header header = inspect(bytes).value();
  auto decoded = decode_jpeg(bytes, {0, 0, header.width, header.height}, reduction);
  EXPECT_TRUE(decoded) << decoded.error().message;
  return std::move(*decoded);
}

double mean_difference(const Image& a, const Image& b) {
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.height, b.height);
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(int{a.pixels.data()[i]} - int{b.pixels.data()[i]});
  return sum / static_cast<double>(a.pixels.size());
}

// Each pixel the mean of reduction x reduction.
Image averaged(const Image& source, int reduction) {
  Image result =
      Image::allocate((source.width + reduction - 1) / reduction, (source.height + reduction - 1) / reduction, 3)
          .value();
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        int sum = 0;
        int count = 0;
        for (int j = y * reduction; j < std::min((y + 1) * reduction, source.height); ++j) {
          for (int i = x * reduction; i < std::min((x + 1) * reduction, source.width); ++i, ++count)
            sum += source.row(j)[i * 3 + c];
        }
        result.row(y)[x * 3 + c] = static_cast<std::uint8_t>((sum + count / 2) / count);
      }
    }
  }
  return result;
}

constexpr const char* kKinds[] = {"spot.jpg",      "spot-progressive.jpg", "spot-444.jpg",
                                  "spot-422.jpg",  "spot-restart.jpg",     "spot-gray.jpg",
                                  "spot-cmyk.jpg", "spot-odd.jpg",         "spot-odd-progressive.jpg"};

TEST(Jpeg, ReducedIsTheAverageOfTheWhole) {
  for (const char* name : kKinds) {
    const auto bytes = picture_bytes(name);
    const Image full = whole(bytes, 1).image;
    for (const int reduction : {2, 4, 8}) {
      const Reduced reduced = whole(bytes, reduction);
      EXPECT_EQ(reduced.reduction, reduction);
      EXPECT_LT(mean_difference(reduced.image, averaged(full, reduction)), 1.2) << name << " by " << reduction;
    }
  }
}

TEST(Jpeg, APartIsExactlyThatPartOfTheWhole) {
  for (const char* name : kKinds) {
    const auto bytes = picture_bytes(name);
    const Header header = inspect(bytes).value();
    for (const int reduction : {1, 2, 4, 8}) {
      const Reduced all = whole(bytes, reduction);
      for (const Rect& part :
           {Rect{header.width / 3, header.height / 4, header.width / 5, header.height / 3}, Rect{0, 0, 1, 1},
            Rect{header.width - 1, header.height - 1, 1, 1}, Rect{header.width / 2, 0, 9, header.height}}) {
        const auto cut = decode_jpeg(bytes, part, reduction);
        ASSERT_TRUE(cut) << name;
        const int right = std::min((part.x + part.width + reduction - 1) / reduction, all.image.width);
        const int bottom = std::min((part.y + part.height + reduction - 1) / reduction, all.image.height);
        ASSERT_LE(cut->x, part.x / reduction);
        ASSERT_LE(cut->y, part.y / reduction);
        ASSERT_GE(cut->x + cut->image.width, right);
        ASSERT_GE(cut->y + cut->image.height, bottom);
        for (int y = part.y / reduction; y < bottom; ++y) {
          for (int i = part.x / reduction * 3; i < right * 3; ++i)
            ASSERT_EQ(cut->image.row(y - cut->y)[i - cut->x * 3], all.image.row(y)[i]) << name << " by " << reduction;
        }
      }
    }
  }
}

// What the network sees of a large photo must hardly depend on how it was decoded: at most half a level of 255 on
// average, where it is just large enough to be reduced by 8 too.
TEST(Jpeg, TheTensorOfALargePhotoIsCloseToThatOfTheFullDecode) {
  for (const char* name : {"spot-large.jpg", "spot-large-progressive.jpg"}) {
    const auto bytes = picture_bytes(name);
    const Image full = whole(bytes, 1).image;
    for (const int side : {224, std::min(full.width, full.height) * 3 / 40}) {
      PrepareSpec spec;
      spec.tensor.width = spec.tensor.height = side;
      const auto prepared = prepare(bytes, spec);
      ASSERT_TRUE(prepared);
      const auto expected = resample(full, to_box(prepared->region), side, side, Filter::kBicubic);
      const double difference = mean_difference(prepared->view, *expected);
      EXPECT_GT(difference, 0) << name << " is reduced for " << side;
      EXPECT_LE(difference, 0.5) << name << " for " << side;
    }
  }
}

TEST(Jpeg, ReducedSizesRoundUp) {
  const Reduced reduced = whole(picture_bytes("spot-odd.jpg"), 8);
  EXPECT_EQ(reduced.image.width, 17);   // 131 / 8
  EXPECT_EQ(reduced.image.height, 13);  // 97 / 8
}

TEST(Jpeg, AMirroredAndTurnedPhotoIsReducedInPlace) {
  // Eight orientations of the same large picture: the crop must land on the same spot whatever side the blocks are
  // counted from.
  auto bytes = picture_bytes("spot-large.jpg");
  PrepareSpec spec;
  spec.tensor.width = spec.tensor.height = 96;
  const Rect region = {701, 399, 803, 801};
  const auto with_orientation = [&](std::uint8_t orientation) {
    std::vector<std::uint8_t> segment = {0xFF, 0xE1, 0, 34, 'E', 'x',         'i', 'f', 0, 0,    'M', 'M',
                                         0,    42,   0, 0,  0,   8,           0,   1,   1, 0x12, 0,   3,
                                         0,    0,    0, 1,  0,   orientation, 0,   0,   0, 0,    0,   0};
    auto whole_file = bytes;
    whole_file.insert(whole_file.begin() + 2, segment.begin(), segment.end());
    return whole_file;
  };
  const Image full = whole(bytes, 1).image;
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const auto file = with_orientation(static_cast<std::uint8_t>(orientation));
    const auto prepared = prepare(file, spec, region);
    ASSERT_TRUE(prepared) << orientation << prepared.error().message;
    ASSERT_EQ(prepared->source.orientation, orientation);
    Image copy = Image::allocate(full.width, full.height, 3).value();
    std::copy(full.pixels.data(), full.pixels.data() + full.pixels.size(), copy.pixels.data());
    const Image upright = turn_upright(std::move(copy), orientation).value();
    const auto expected = resample(upright, to_box(prepared->region), 96, 96, Filter::kBicubic);
    EXPECT_LE(mean_difference(prepared->view, *expected), 0.6) << orientation;
  }
}

TEST(Jpeg, AnErrorSaysHowMuchWasThere) {
  const auto bytes = picture_bytes("cut-off.jpg");
  const auto decoded = decode_jpeg(bytes, {0, 0, 1000, 750}, 1);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, ErrorCode::kCorruptImage);
  EXPECT_NE(decoded.error().message.find("ends early: about 6"), std::string::npos) << decoded.error().message;
}

TEST(Jpeg, AMissingEndMarkerAfterAWholeBaselinePictureIsForgiven) {
  auto bytes = picture_bytes("spot-444.jpg");
  const Image with = whole(bytes, 1).image;
  bytes.resize(bytes.size() - 2);
  EXPECT_EQ(mean_difference(whole(bytes, 1).image, with), 0);
  auto progressive = picture_bytes("spot-odd-progressive.jpg");
  progressive.resize(progressive.size() - 2);
  EXPECT_EQ(decode_jpeg(progressive, {0, 0, 131, 97}, 1).error().code, ErrorCode::kCorruptImage);
}

// libjpeg-turbo has the standard tables for sequential pictures only.
TEST(Jpeg, AProgressivePictureWithoutTablesIsBroken) {
  auto bytes = picture_bytes("kinds/jpeg-grey-progressive.jpg");
  for (std::size_t i = 2; i + 1 < bytes.size(); ++i) {
    if (bytes[i] == 0xFF && bytes[i + 1] == 0xC4) bytes[i + 1] = 0xFE;  // a comment
  }
  const auto decoded = decode_jpeg(bytes, {0, 0, 181, 131}, 1);
  ASSERT_FALSE(decoded);
  EXPECT_NE(decoded.error().message.find("table is missing"), std::string::npos) << decoded.error().message;
}

// A table that makes no sense is not the same as none: the standard one must not take its place.
TEST(Jpeg, ABrokenTableThatAScanNeedsIsAnError) {
  auto bytes = picture_bytes("kinds/jpeg-broken-unused-table.jpg");
  const std::array<std::uint8_t, 5> broken = {0xFF, 0xC4, 0, 22, 3};
  const auto at = std::search(bytes.begin(), bytes.end(), broken.begin(), broken.end());
  ASSERT_NE(at, bytes.end());
  at[4] = 0;  // it is the first scan's, until a good one comes
  EXPECT_TRUE(decode_jpeg(bytes, {0, 0, 91, 66}, 1));
  const std::vector<std::uint8_t> again(at, at + 24);
  for (auto next = at + 24; next + 4 < bytes.end(); ++next) {
    if (next[0] == 0xFF && next[1] == 0xDA) {
      bytes.insert(next, again.begin(), again.end());
      break;
    }
  }
  EXPECT_EQ(decode_jpeg(bytes, {0, 0, 91, 66}, 1).error().code, ErrorCode::kCorruptImage);
}

TEST(Jpeg, EveryFlippedByteIsSurvivedAtEveryReduction) {
  for (const char* name : {"spot-restart.jpg", "spot-odd-progressive.jpg", "spot-422.jpg"}) {
    const auto clean = picture_bytes(name);
    for (std::size_t at = 2; at < clean.size(); at += 3) {
      auto bytes = clean;
      bytes[at] ^= static_cast<std::uint8_t>(1u << at % 8);
      const auto header = inspect(bytes);
      if (!header || static_cast<std::int64_t>(header->width) * header->height > 500'000) continue;
      (void)decode_jpeg(bytes, {0, 0, header->width, header->height}, 1 << at % 4);
    }
  }
}

}  // namespace
}  // namespace dermlet
