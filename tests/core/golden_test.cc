// Pillow's answers, written by tests/golden/make_goldens.py.
#include <gtest/gtest.h>

#include <sstream>

#include "pipeline.h"
#include "support.h"

namespace dermlet {
namespace {

using testing::from_hex;
using testing::tests_dir;
using testing::values_of;

std::string fnv1a(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0xCBF29CE484222325u;
  for (const std::uint8_t byte : bytes) value = (value ^ byte) * 0x100000001B3u;
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

TEST(Golden, ResamplingIsPillowsToTheBit) {
  std::ifstream file(tests_dir() / "golden/resample.golden");
  std::string line;
  int cases = 0;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string name, hex;
    int width = 0, height = 0, target_width = 0, target_height = 0;
    std::uint32_t seed = 0;
    Rect region;
    fields >> name >> width >> height >> region.x >> region.y >> region.width >> region.height >> target_width >>
        target_height >> seed >> hex;
    const Filter filter = name == "bilinear"  ? Filter::kBilinear
                          : name == "bicubic" ? Filter::kBicubic
                                              : Filter::kLanczos;
    const auto result =
        resample(testing::noise(width, height, seed), to_box(region), target_width, target_height, filter);
    ASSERT_TRUE(result) << line.substr(0, 60);
    EXPECT_EQ(values_of(*result), from_hex(hex)) << line.substr(0, 60);
    ++cases;
  }
  EXPECT_EQ(cases, 48);
}

// JPEG included: the decoder equals libjpeg-turbo at full size.
TEST(Golden, ViewsArePillowsToTheBit) {
  std::ifstream file(tests_dir() / "golden/views.golden");
  std::string line;
  int cases = 0;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string name, expected;
    int side = 0;
    fields >> name >> side >> expected;
    PrepareSpec spec;
    spec.tensor.width = spec.tensor.height = side;
    const auto prepared = prepare(testing::picture_bytes(name), spec);
    ASSERT_TRUE(prepared) << name << ": " << prepared.error().message;
    EXPECT_EQ(fnv1a(prepared->view.pixels.span()), expected) << name;
    ++cases;
  }
  EXPECT_EQ(cases, 98);
}

}  // namespace
}  // namespace dermlet
