#include "formats/exif.h"

#include <gtest/gtest.h>

#include <array>

#include "geometry/orientation.h"
#include "support.h"

namespace dermlet {
namespace {

using testing::image_of;
using testing::values_of;

std::vector<std::uint8_t> tiff(bool big, std::uint16_t type, std::uint16_t value, std::uint32_t directory = 8,
                               std::uint16_t count = 1) {
  std::vector<std::uint8_t> bytes = big ? std::vector<std::uint8_t>{'M', 'M'} : std::vector<std::uint8_t>{'I', 'I'};
  const auto put = [&](std::uint32_t v, int size) {
    for (int i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(v >> 8 * (big ? size - 1 - i : i)));
  };
  put(42, 2);
  put(directory, 4);
  put(count, 2);
  put(0x0112, 2);
  put(type, 2);
  put(1, 4);
  put(value, type == 4 ? 4 : 2);
  if (type != 4) put(0, 2);
  put(0, 4);
  return bytes;
}

TEST(Exif, ReadsBothByteOrdersAndTheIntegerTypes) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool big : {false, true}) {
      for (const auto type : std::to_array<std::uint16_t>({3, 4}))
        EXPECT_EQ(read_orientation(tiff(big, type, static_cast<std::uint16_t>(orientation))), orientation);
    }
  }
}

TEST(Exif, NonsenseIsUpright) {
  EXPECT_EQ(read_orientation({}), 1);
  EXPECT_EQ(read_orientation(tiff(true, 3, 0)), 1);
  EXPECT_EQ(read_orientation(tiff(true, 3, 9)), 1);
  EXPECT_EQ(read_orientation(tiff(true, 2, 6)), 1);               // a string
  EXPECT_EQ(read_orientation(tiff(true, 3, 6, 0xFFFFFFF0u)), 1);  // directory far outside
  EXPECT_EQ(read_orientation(tiff(false, 3, 6, 8, 0xFFFF)), 6);   // more entries promised than there are, ours is there
  auto wrong_magic = tiff(true, 3, 6);
  wrong_magic[3] = 43;
  EXPECT_EQ(read_orientation(wrong_magic), 1);
}

TEST(Exif, EveryPrefixIsSurvived) {
  const auto whole = tiff(true, 3, 6);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::vector<std::uint8_t> part(
        whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));  // own allocation: ASan sees one byte too far
    EXPECT_TRUE(read_orientation(part) == 1 || n >= 20);
  }
}

// The first directory points to EXIF's, at 26, which holds `colour_space` and points to the interoperability directory
// at 56.
std::vector<std::uint8_t> camera(bool big, std::uint16_t colour_space, std::string_view index, std::uint32_t exif = 26,
                                 std::uint32_t interoperability = 56) {
  std::vector<std::uint8_t> bytes = big ? std::vector<std::uint8_t>{'M', 'M'} : std::vector<std::uint8_t>{'I', 'I'};
  const auto put = [&](std::uint32_t v, int size) {
    for (int i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(v >> 8 * (big ? size - 1 - i : i)));
  };
  const auto entry = [&](std::uint32_t tag, std::uint32_t type, std::uint32_t value) {
    put(tag, 2), put(type, 2), put(1, 4);
    put(value, type == 3 ? 2 : 4);
    if (type == 3) put(0, 2);
  };
  put(42, 2), put(8, 4);
  put(1, 2), entry(0x8769, 4, exif), put(0, 4);
  put(2, 2), entry(0xA001, 3, colour_space), entry(0xA005, 4, interoperability), put(0, 4);
  put(1, 2), put(1, 2), put(2, 2), put(4, 4);
  for (const char c : index) bytes.push_back(static_cast<std::uint8_t>(c));
  put(0, 4);
  return bytes;
}

TEST(Exif, AdobeRgbIsStatedByTheIndexOrTheColourSpace) {
  using namespace std::string_view_literals;
  for (const bool big : {false, true}) {
    EXPECT_TRUE(states_adobe_rgb(camera(big, 0xFFFF, "R03\0"sv)));
    EXPECT_TRUE(states_adobe_rgb(camera(big, 2, "R98\0"sv)));
    EXPECT_FALSE(states_adobe_rgb(camera(big, 1, "R98\0"sv)));
    EXPECT_FALSE(states_adobe_rgb(camera(big, 0xFFFF, "R98\0"sv)));
    EXPECT_FALSE(states_adobe_rgb(camera(big, 2, "R03\0"sv, 8)));            // a directory that holds itself
    EXPECT_FALSE(states_adobe_rgb(camera(big, 0xFFFF, "R03\0"sv, 26, 26)));  // another one
    EXPECT_FALSE(states_adobe_rgb(camera(big, 2, "R03\0"sv, 0xFFFFFFFFu)));  // far outside
    EXPECT_FALSE(states_adobe_rgb(camera(big, 1, "R03\0"sv, 26, 0xFFFFFFF0u)));
    EXPECT_FALSE(states_adobe_rgb(tiff(big, 3, 6)));
  }
  EXPECT_FALSE(states_adobe_rgb({}));
  const auto whole = camera(true, 1, "R03\0"sv);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::vector<std::uint8_t> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_EQ(states_adobe_rgb(part), n >= 56 + 2 + 8 + 3) << n;
  }
}

//  stored   1 2 3
//           4 5 6
TEST(Exif, TurnsUpright) {
  const std::vector<std::pair<int, std::vector<std::uint8_t>>> cases = {
      {1, {1, 2, 3, 4, 5, 6}}, {2, {3, 2, 1, 6, 5, 4}}, {3, {6, 5, 4, 3, 2, 1}}, {4, {4, 5, 6, 1, 2, 3}},
      {5, {1, 4, 2, 5, 3, 6}}, {6, {4, 1, 5, 2, 6, 3}}, {7, {6, 3, 5, 2, 4, 1}}, {8, {3, 6, 2, 5, 1, 4}},
  };
  for (const auto& [orientation, expected] : cases) {
    const auto upright = turn_upright(image_of(3, 2, 1, {1, 2, 3, 4, 5, 6}), orientation);
    ASSERT_TRUE(upright);
    EXPECT_EQ(upright->width, swaps_sides(orientation) ? 2 : 3) << orientation;
    EXPECT_EQ(values_of(*upright), expected) << orientation;
  }
}

TEST(Exif, TurningBackGivesTheSamePixels) {
  // Larger than a tile, sides no multiple of one.
  const std::vector<std::pair<int, int>> inverses = {{2, 2}, {3, 3}, {4, 4}, {5, 5}, {6, 8}, {7, 7}, {8, 6}};
  const Image original = testing::noise(71, 45, 7);
  for (const auto& [there, back] : inverses) {
    auto turned = turn_upright(testing::noise(71, 45, 7), there);
    ASSERT_TRUE(turned);
    const auto again = turn_upright(std::move(*turned), back);
    ASSERT_TRUE(again);
    EXPECT_EQ(values_of(*again), values_of(original)) << there;
  }
}

}  // namespace
}  // namespace dermlet
