#include "colour/icc.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <sstream>
#include <utility>

#include "support.h"

namespace dermlet {
namespace {

using Octets = std::vector<std::uint8_t>;
using testing::from_hex;

struct ProfileCase {
  Octets icc;
  Octets expected;  // RGB as LittleCMS has it
};

const std::map<std::string, ProfileCase>& cases() {
  static const auto read = [] {
    std::map<std::string, ProfileCase> result;
    std::ifstream file(testing::tests_dir() / "golden/icc.golden");
    std::string name, icc, expected;
    while (file >> name >> icc >> expected) result[name] = {from_hex(icc), from_hex(expected)};
    return result;
  }();
  return read;
}

// The colours that make_goldens.py asked about: greys and RGB as three channels, inks as four.
Octets samples(const std::string& name) {
  Octets rgb;
  if (name.starts_with("cmyk")) {
    constexpr std::array<std::uint8_t, 6> kLevels = {0, 40, 100, 160, 215, 255};
    for (std::size_t i = 0; i < 6 * 6 * 6 * 6; ++i)
      rgb.insert(rgb.end(), {kLevels[i / 216], kLevels[i / 36 % 6], kLevels[i / 6 % 6], kLevels[i % 6]});
    return rgb;
  }
  if (name.starts_with("gray")) {
    for (int v = 0; v < 256; ++v) rgb.insert(rgb.end(), 3, static_cast<std::uint8_t>(v));
    return rgb;
  }
  const auto level = [](int i) { return static_cast<std::uint8_t>(i < 8 ? 36 * i : 255); };
  for (int b = 0; b < 9; ++b) {
    for (int g = 0; g < 9; ++g) {
      for (int r = 0; r < 9; ++r) rgb.insert(rgb.end(), {level(r), level(g), level(b)});
    }
  }
  return rgb;
}

std::optional<Profile> profile_of(Bytes icc) {
  Profile profile;
  return read_profile(icc, profile) ? std::optional(std::move(profile)) : std::nullopt;
}

std::optional<Profile> profile_of(const Primaries& primaries, std::optional<double> exponent) {
  Profile profile;
  return make_profile(primaries, exponent, profile) ? std::optional(std::move(profile)) : std::nullopt;
}

std::optional<Converter> converter_of(std::optional<Profile> profile) {
  auto converter = Converter::allocate().value();
  if (!profile || !converter.set(*std::move(profile))) return {};
  return converter;
}

std::optional<Converter> converter_of(Bytes icc) { return converter_of(profile_of(icc)); }

void put(Octets& bytes, std::size_t at, std::string_view text) {
  std::copy(text.begin(), text.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

std::size_t tag_at(const Octets& icc, std::string_view name) {
  for (std::size_t i = 0; i < *read_u32(icc, 128, ByteOrder::kBig); ++i) {
    if (starts_with(icc, name, 132 + 12 * i)) return *read_u32(icc, 136 + 12 * i, ByteOrder::kBig);
  }
  ADD_FAILURE() << "no tag " << name;
  return 0;
}

// As the converter has them.
Octets converted(const std::string& name, const Converter& converter) {
  Octets colours = samples(name);
  if (!converter.takes_inks()) {
    converter.apply(colours);
    return colours;
  }
  Octets rgb(colours.size() / 4 * 3);
  converter.apply_inks(colours, rgb);
  return rgb;
}

TEST(Icc, ColoursAreLittleCmsWithinOneLevel) {
  ASSERT_EQ(cases().size(), 38u);
  for (const auto& [name, one] : cases()) {
    const auto converter = converter_of(one.icc);
    ASSERT_TRUE(converter) << name;
    const Octets colours = converted(name, *converter);
    ASSERT_EQ(colours.size(), one.expected.size()) << name;
    if (std::getenv("DERMLET_SHOW") != nullptr) {
      int greatest = 0;
      double sum = 0;
      for (std::size_t i = 0; i < colours.size(); ++i) {
        const int off = std::abs(int{colours[i]} - int{one.expected[i]});
        greatest = std::max(greatest, off);
        sum += off;
      }
      std::printf("    %-20s greatest %d levels, mean %.3f\n", name.c_str(), greatest,
                  sum / static_cast<double>(colours.size()));
    }
    std::size_t differing = 0;
    for (std::size_t i = 0; i < colours.size(); ++i) {
      ASSERT_LE(std::abs(int{colours[i]} - int{one.expected[i]}), 1) << name << " at " << i;
      differing += colours[i] != one.expected[i] ? 1u : 0u;
    }
    EXPECT_LT(static_cast<double>(differing), 0.04 * static_cast<double>(colours.size())) << name;
  }
}

TEST(Icc, ProfilesThatComeToSrgbChangeNothing) {
  for (const auto& [name, one] : cases()) {
    const bool is_srgb = name == "srgb-table" || name == "srgb-para" || name == "gray-srgb";
    EXPECT_EQ(converter_of(one.icc)->changes_nothing(), is_srgb) << name;
  }
  EXPECT_TRUE(converter_of(profile_of(kSrgbPrimaries, {}))->changes_nothing());
  EXPECT_FALSE(converter_of(profile_of(kSrgbPrimaries, 2.2))->changes_nothing());
}

// The standard's formulas with libm's pow; parameters as rounded to the profile's 1/65536.
TEST(Icc, CurvesAreTheirFormulas) {
  const auto fixed = [](double v) { return std::round(v * 65536) / 65536; };
  const double g24 = fixed(2.4), a3 = fixed(1 / 1.055), b3 = fixed(0.055 / 1.055), c3 = fixed(1 / 12.92),
               d3 = fixed(0.04045);
  const std::map<std::string, std::function<double(double)>> formulas = {
      {"linear", [](double x) { return x; }},
      {"adobe-rgb", [](double x) { return std::pow(x, 563.0 / 256); }},
      {"power", [&](double x) { return std::pow(x, fixed(2.2)); }},
      {"cie-122",
       [&](double x) {
         return x >= fixed(0.1) / fixed(1.1) ? std::pow(std::max(0.0, fixed(1.1) * x - fixed(0.1)), g24) : 0.0;
       }},
      {"iec-61966-3",
       [&](double x) {
         return x >= fixed(0.05) / fixed(0.95) ? std::pow(fixed(0.95) * x - fixed(0.05), fixed(2.2)) + fixed(0.03)
                                               : fixed(0.03);
       }},
      {"display-p3", [&](double x) { return x >= d3 ? std::pow(a3 * x + b3, g24) : c3 * x; }},
      {"offset",
       [&](double x) {
         return x >= fixed(0.0405) ? std::pow(fixed(0.9479) * x + fixed(0.0521), g24) + fixed(0.002)
                                   : fixed(0.0774) * x + fixed(0.002);
       }},
      {"table-2", [](double x) { return (std::round(6553.5) * (1 - x) + 65535 * x) / 65535; }},
      {"gray-2.2", [](double x) { return std::pow(x, 563.0 / 256); }},
  };
  for (const auto& [name, formula] : formulas) {
    const auto profile = profile_of(cases().at(name).icc);
    ASSERT_TRUE(profile) << name;
    for (std::size_t i = 0; i < 256; ++i)
      EXPECT_NEAR(profile->curves[0][i], formula(static_cast<double>(i) / 255), 1e-12) << name << " at " << i;
  }
  // Between a table's points it is a straight line.
  const auto profile = profile_of(cases().at("table-17").icc);
  for (std::size_t i = 0; i < 256; ++i) {
    const double place = static_cast<double>(i) / 255 * 16, below = std::floor(place), part = place - below;
    const auto point = [](double n) { return std::round(n / 16 * (n / 16) * 65535) / 65535; };
    EXPECT_NEAR(profile->curves[1][i], point(below) * (1 - part) + point(below + 1) * part, 1e-12) << i;
  }
}

TEST(Icc, GreyIsOneCurve) {
  const auto profile = profile_of(cases().at("gray-1.8").icc);
  EXPECT_EQ(profile->channels, 1);
  EXPECT_EQ(profile_of(cases().at("display-p3").icc)->channels, 3);
  EXPECT_EQ(profile_of(cases().at("cmyk-lut8").icc)->channels, 4);
}

TEST(Icc, KindsThatAreNotReadAreNotGuessed) {
  const Octets good = cases().at("display-p3").icc;
  const auto changed = [&](std::size_t at, std::string_view text) {
    Octets icc = good;
    put(icc, at, text);
    return profile_of(icc);
  };
  EXPECT_TRUE(profile_of(good));
  for (const std::string_view kind : {"link", "abst", "nmcl"}) EXPECT_FALSE(changed(12, kind)) << kind;
  for (const std::string_view kind : {"mntr", "scnr", "prtr", "spac"}) EXPECT_TRUE(changed(12, kind)) << kind;
  for (const std::string_view space : {"CMYK", "Lab ", "XYZ ", "4CLR", "GRAY"})
    EXPECT_FALSE(changed(16, space)) << space;  // GRAY: there is no kTRC
  EXPECT_FALSE(changed(20, "Lab "));
  EXPECT_FALSE(changed(36, "ACSP"));
  EXPECT_FALSE(changed(8, "\5"));
  EXPECT_FALSE(profile_of(Bytes()));
  EXPECT_FALSE(profile_of(Octets(200)));
  EXPECT_FALSE(profile_of(Octets(kMaxProfileBytes + 1)));
  Octets with_table = good;
  put(with_table, 132, "A2B0");  // in place of the description
  // A table that is none leaves curves and matrix.
  const auto by_matrix = profile_of(with_table);
  ASSERT_TRUE(by_matrix);
  EXPECT_EQ(by_matrix->table, nullptr);
}

TEST(Icc, CurvesThatMakeNoSenseAreRefused) {
  const Octets good = cases().at("display-p3").icc;
  const std::size_t curve = tag_at(good, "rTRC");
  const auto changed = [&](std::size_t at, std::string_view text) {
    Octets icc = good;
    put(icc, curve + at, text);
    return profile_of(icc);
  };
  using namespace std::string_view_literals;
  EXPECT_FALSE(changed(0, "mpet"));
  EXPECT_FALSE(changed(8, "\0\5"sv));                          // no such function
  EXPECT_FALSE(changed(8, "\0\4"sv));                          // more parameters than the tag holds
  EXPECT_FALSE(changed(16, "\0\0\0\0"sv));                     // a = 0
  EXPECT_FALSE(changed(16, "\xFF\0\0\0"sv));                   // a < 0
  EXPECT_FALSE(changed(0, "curv\0\0\0\0\0\1\0\0"sv));          // points beyond the limit
  EXPECT_FALSE(changed(0, "curv\0\0\0\0\xFF\xFF\xFF\xFF"sv));  // and beyond all memory
  EXPECT_TRUE(changed(12, "\x7F\xFF\xFF\xFF"sv));              // an exponent of 32768 is a step at most
}

TEST(Icc, AProfileThatMakesWhiteDarkIsRefused) {
  Profile profile = *profile_of(cases().at("display-p3").icc);
  const auto with_matrix = [&](const Matrix& matrix) {
    Profile copy{3, {}, matrix, profile.curves};
    return copy;
  };
  EXPECT_FALSE(converter_of(with_matrix({})));
  for (const double huge : {1e9, -1e9}) {
    for (auto& row : profile.to_xyz) row.fill(huge);
    auto converter = Converter::allocate().value();
    (void)converter.set(with_matrix(profile.to_xyz));
    Octets colours = samples("");
    converter.apply(colours);
  }
}

TEST(Icc, EveryPrefixAndEveryFlippedByteIsSurvived) {
  for (const char* name : {"display-p3", "gray-table", "table-17", "offset"}) {
    const Octets whole = cases().at(name).icc;
    std::size_t readable = 0;
    for (std::size_t n = 0; n < whole.size(); ++n) {
      const Octets part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
      readable += converter_of(part) ? 1u : 0u;
    }
    EXPECT_LE(readable, 3u) << name;  // the last tag's padding alone may be missing
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const auto mask : std::to_array<std::uint8_t>({0x01, 0x80, 0xFF})) {
        Octets bytes = whole;
        bytes[at] ^= mask;
        if (const auto converter = converter_of(bytes)) {
          Octets colours = {0, 0, 0, 128, 64, 32, 255, 255, 255};
          converter->apply(colours);
          EXPECT_GE(*std::min_element(colours.end() - 3, colours.end()), 192) << name << " at " << at;
        }
      }
    }
  }
}

// Each byte of what stands before a table's points, and some of those.
TEST(Icc, ChangedTablesAreSurvived) {
  for (const char* name : {"table-lut8-curves", "table-lut16-curves", "table-all-stages", "cmyk-lut16", "cmyk-stages",
                           "gray-table-lut16"}) {
    const Octets whole = cases().at(name).icc;
    const std::size_t tag = tag_at(whole, "A2B0");
    for (std::size_t at = 0; at < whole.size(); at += at < tag + 80 ? 1 : 397) {
      Octets bytes = whole;
      bytes[at] ^= at % 3 == 0 ? 0x01 : 0xFF;
      if (const auto converter = converter_of(bytes)) (void)converted(name, *converter);
    }
    for (std::size_t n = tag; n < whole.size(); n += 161) {
      Octets part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_FALSE(converter_of(part)) << name << " cut at " << n;
    }
  }
}

TEST(Icc, TablesThatMakeNoSenseAreRefused) {
  const Octets good = cases().at("table-lut16").icc;
  const std::size_t tag = tag_at(good, "A2B0");
  const auto changed = [&](std::size_t at, std::string_view text) {
    Octets icc = good;
    put(icc, tag + at, text);
    return profile_of(icc).has_value();
  };
  using namespace std::string_view_literals;
  EXPECT_TRUE(changed(0, "mft2"));
  EXPECT_FALSE(changed(0, "mpet"));
  EXPECT_FALSE(changed(8, "\4"sv));         // of inks
  EXPECT_FALSE(changed(9, "\4"sv));         // to inks
  EXPECT_FALSE(changed(10, "\1"sv));        // one point a side
  EXPECT_FALSE(changed(10, "\xFF"sv));      // more points than there are
  EXPECT_FALSE(changed(14, "\1"sv));        // a matrix
  EXPECT_FALSE(changed(48, "\0\1"sv));      // a curve of one point
  EXPECT_FALSE(changed(50, "\xFF\xFF"sv));  // of more than the type allows
  Octets by_matrix = cases().at("table-and-matrix").icc;
  put(by_matrix, tag_at(by_matrix, "A2B0"), "none");
  const auto profile = profile_of(by_matrix);
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->table, nullptr);
}

TEST(Icc, TheTableOfRelativeColorimetryGoesFirst) {
  EXPECT_EQ(cases().at("table-two").expected, cases().at("table-lut16").expected);
}

TEST(Icc, PrimariesWithoutColoursAndOddExponentsAreRefused) {
  EXPECT_FALSE(profile_of(Primaries{{{0.3127, 0.3290}, {0.64, 0.33}, {0.64, 0.33}, {0.15, 0.06}}}, {}));
  EXPECT_FALSE(profile_of(Primaries{{{0.3127, 0}, {0.64, 0.33}, {0.30, 0.60}, {0.15, 0.06}}}, {}));
  EXPECT_FALSE(profile_of(Primaries{}, {}));
  EXPECT_FALSE(profile_of(kSrgbPrimaries, 0.01));
  EXPECT_FALSE(profile_of(kSrgbPrimaries, 1000));
  EXPECT_TRUE(profile_of(kSrgbPrimaries, 1.0));
}

}  // namespace
}  // namespace dermlet
