// The manifest of tensors: what every build of the core must make of every drawn picture, to the bit.
// tests/exactness/cases.mjs says what its lines mean.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "pipeline.h"
#include "sha256.h"
#include "support.h"

namespace dermlet {
namespace {

using testing::Sha256;

struct Wanted {
  std::string name;
  PrepareSpec spec;
  bool cropped = false;
};

std::array<float, 3> three_numbers(const std::string& list) {
  std::array<float, 3> values{};
  std::istringstream fields(list);
  std::string number;
  for (float& value : values) {
    std::getline(fields, number, ',');
    value = static_cast<float>(std::strtod(number.c_str(), nullptr));
  }
  return values;
}

Wanted parse_spec(std::istringstream& fields) {
  Wanted wanted;
  std::string layout, channels, fit, filter, mean, std, area;
  TensorSpec& tensor = wanted.spec.tensor;
  fields >> wanted.name >> tensor.width >> tensor.height >> layout >> channels >> fit >> filter >> mean >> std >>
      wanted.spec.preview_side >> wanted.spec.views >> area;
  EXPECT_TRUE(fields) << "a spec line is too short";
  tensor.layout = layout == "NHWC" ? Layout::kNhwc : Layout::kNchw;
  tensor.channels = channels == "BGR" ? ChannelOrder::kBgr : ChannelOrder::kRgb;
  tensor.mean = three_numbers(mean);
  tensor.std = three_numbers(std);
  if (const auto star = fit.find('*'); star != std::string::npos) {
    wanted.spec.crop_pct = std::strtod(fit.c_str() + star + 1, nullptr);
    fit.resize(star);
  }
  wanted.spec.fit = fit == "stretch" ? Fit::kStretch : Fit::kCover;
  wanted.spec.filter = filter == "bilinear"  ? Filter::kBilinear
                       : filter == "lanczos" ? Filter::kLanczos
                                             : Filter::kBicubic;
  wanted.cropped = area == "cropped";
  wanted.spec.quality.fill(0.f);  // every check is made
  return wanted;
}

void add_number(Sha256& hash, float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  const std::array<std::uint8_t, 4> bytes = {static_cast<std::uint8_t>(bits), static_cast<std::uint8_t>(bits >> 8),
                                             static_cast<std::uint8_t>(bits >> 16),
                                             static_cast<std::uint8_t>(bits >> 24)};
  hash.add(bytes);
}

std::string hash_of(const Prepared& prepared) {
  Sha256 hash;
  for (const float value : prepared.tensor.span()) add_number(hash, value);
  hash.add(prepared.view.pixels.span());
  hash.add(prepared.preview.pixels.span());
  for (const QualityCheck& check : prepared.quality.checks) add_number(hash, check.value);
  return hash.hex();
}

std::string answer_of(const std::vector<std::uint8_t>& bytes, const std::vector<Wanted>& specs) {
  std::ostringstream answer;
  Rect crop;
  for (const Wanted& wanted : specs) {
    const bool first = &wanted == &specs.front();
    const auto prepared = prepare(bytes, wanted.spec, wanted.cropped ? std::optional(crop) : std::nullopt);
    if (!prepared && first) return std::string(name_of(prepared.error().code));
    if (first) {
      const Source& source = prepared->source;
      answer << name_of(source.format) << ':' << source.width << 'x' << source.height << ':' << source.orientation
             << ':' << name_of(source.colour);
      crop = {source.width / 5, source.height / 4, std::max(1, source.width / 2), std::max(1, source.height / 2)};
    }
    answer << ' ' << (prepared ? hash_of(*prepared) : std::string(name_of(prepared.error().code)));
  }
  return answer.str();
}

TEST(Exactness, TheHashIsSha256) {
  Sha256 hash;
  EXPECT_EQ(hash.hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const std::string text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";  // FIPS 180-4, appendix B.2
  hash.add({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  EXPECT_EQ(hash.hex(), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Exactness, EveryPictureGivesTheTensorThatEveryOtherBuildGives) {
  std::ifstream file(testing::tests_dir() / "golden/tensors.golden");
  std::vector<Wanted> specs;
  std::string line;
  int pictures = 0;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream fields(line);
    std::string name;
    fields >> name;
    if (name == "spec") {
      specs.push_back(parse_spec(fields));
      continue;
    }
    ASSERT_FALSE(specs.empty());
    EXPECT_EQ(answer_of(testing::picture_bytes(name), specs), line.substr(name.size() + 1)) << name;
    ++pictures;
  }
  EXPECT_EQ(specs.size(), 5u);
  EXPECT_GT(pictures, 200);
  ::testing::Test::RecordProperty("pictures", pictures);
}

}  // namespace
}  // namespace dermlet
