#include "colour/icc.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <string_view>
#include <utility>

#include "colour/tags.h"
#include "vectors.h"

namespace dermlet {
namespace {

using namespace icc;

constexpr std::size_t kHeaderBytes = 128;

constexpr Vector kD50 = {0.9642, 1.0, 0.8249};
constexpr Matrix kBradford = {{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}};

// Linear light in whole numbers: 14 bits choose sRGB's level (a step is 0.2 levels where the curve is steepest), 8 more
// keep sums exact.
constexpr int kIndexBits = 14;
constexpr int kSpareBits = 8;
constexpr std::int32_t kOne = std::int32_t{1} << (kIndexBits + kSpareBits);

constexpr Curve kSrgbCurve = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};

Vector times(const Matrix& m, const Vector& v) {
  Vector result{};
  for (std::size_t i = 0; i < 3; ++i) result[i] = m[i][0] * v[0] + m[i][1] * v[1] + m[i][2] * v[2];
  return result;
}

Matrix times(const Matrix& a, const Matrix& b) {
  Matrix result{};
  for (std::size_t c = 0; c < 3; ++c) {
    const Vector column = times(a, Vector{b[0][c], b[1][c], b[2][c]});
    for (std::size_t r = 0; r < 3; ++r) result[r][c] = column[r];
  }
  return result;
}

bool invert(Matrix& m) {
  Matrix adjugate{};
  for (std::size_t r = 0; r < 3; ++r) {
    for (std::size_t c = 0; c < 3; ++c) {
      const std::size_t r1 = (c + 1) % 3, r2 = (c + 2) % 3, c1 = (r + 1) % 3, c2 = (r + 2) % 3;
      adjugate[r][c] = m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1];
    }
  }
  const double determinant = m[0][0] * adjugate[0][0] + m[0][1] * adjugate[1][0] + m[0][2] * adjugate[2][0];
  if (!(std::abs(determinant) > 1e-6)) return false;
  for (std::size_t r = 0; r < 3; ++r) {
    for (std::size_t c = 0; c < 3; ++c) m[r][c] = adjugate[r][c] / determinant;
  }
  return true;
}

// Red, green and blue in XYZ for equal parts of them to be white, then all adapted to D50.
bool xyz_of(const Primaries& primaries, Matrix& to_xyz) {
  Matrix columns{};
  Vector white{};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto [x, y] = primaries[i];
    if (!(y > 1e-3)) return false;
    const Vector xyz = {x / y, 1, (1 - x - y) / y};
    for (std::size_t r = 0; r < 3; ++r) (i == 0 ? white[r] : columns[r][i - 1]) = xyz[r];
  }
  Matrix solved = columns;
  Matrix from_cone = kBradford;
  if (!invert(solved) || !invert(from_cone)) return false;
  const Vector response = times(kBradford, white);
  const Vector wanted = times(kBradford, kD50);
  Matrix ratio{};
  for (std::size_t i = 0; i < 3; ++i) {
    if (!(response[i] > 1e-3)) return false;
    ratio[i][i] = wanted[i] / response[i];
  }
  const Vector parts = times(solved, white);
  for (auto& row : columns) {
    for (std::size_t c = 0; c < 3; ++c) row[c] *= parts[c];
  }
  to_xyz = times(from_cone, times(ratio, times(kBradford, columns)));
  return true;
}

bool read_channels(Bytes icc, Profile& profile) {
  constexpr std::array<std::string_view, 3> kColorants = {"rXYZ", "gXYZ", "bXYZ"};
  constexpr std::array<std::string_view, 3> kCurves = {"rTRC", "gTRC", "bTRC"};
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const Bytes xyz = find_tag(icc, kColorants[channel]);
    if (!starts_with(xyz, "XYZ ") || xyz.size() < 20 ||
        !read_curve(find_tag(icc, kCurves[channel]), profile.curves[channel]))
      return false;
    for (std::size_t r = 0; r < 3; ++r) profile.to_xyz[r][channel] = read_fixed(xyz, 8 + 4 * r);
  }
  return true;
}

// The table of relative colorimetry, else that of perception, as LittleCMS chooses them for the former. Where there are
// curves and a matrix too, these come first and may say something else.
bool read_tables(Bytes icc, Profile& profile) {
  const bool lab = starts_with(icc, "Lab ", 20);
  if (!lab && !starts_with(icc, "XYZ ", 20)) return false;
  for (const std::string_view name : {"A2B1", "A2B0"}) {
    const Bytes tag = find_tag(icc, name);
    if (tag.empty()) continue;
    profile.table.reset(new (std::nothrow) Table());
    if (profile.table != nullptr && profile.table->read(tag, profile.channels, lab)) return true;
    profile.table.reset();
  }
  return false;
}

}  // namespace

bool read_profile(Bytes icc, Profile& profile) {
  icc = slice(icc, 0, read_u32(icc, 0, kOrder).value_or(0));
  if (icc.size() <= kHeaderBytes || icc.size() > kMaxProfileBytes || !starts_with(icc, "acsp", 36) || icc[8] > 4)
    return false;
  // Device link, abstract and named colour profiles are no description of a device's colours.
  for (const std::string_view kind : {"link", "abst", "nmcl"}) {
    if (starts_with(icc, kind, 12)) return false;
  }
  profile.channels = starts_with(icc, "GRAY", 16) ? 1 : starts_with(icc, "RGB ", 16) ? 3 : 4;
  if (profile.channels == 4 && !starts_with(icc, "CMYK", 16)) return false;
  if (read_tables(icc, profile)) return true;
  if (!starts_with(icc, "XYZ ", 20)) return false;
  if (profile.channels == 1) return read_curve(find_tag(icc, "kTRC"), profile.curves[0]);
  return profile.channels == 3 && read_channels(icc, profile);
}

bool make_profile(const Primaries& primaries, std::optional<double> exponent, Profile& profile) {
  if (exponent && !(*exponent >= 0.1 && *exponent <= 10)) return false;
  profile.channels = 3;
  profile.table.reset();
  for (Levels& levels : profile.curves) fill(levels, exponent ? Curve{*exponent} : kSrgbCurve);
  return xyz_of(primaries, profile.to_xyz);
}

Expected<Converter> Converter::allocate() {
  DERMLET_TRY(shares, Buffer<std::int32_t>::allocate(std::size_t{3} * 256, 4));
  DERMLET_TRY(encoded, Buffer<std::uint8_t>::allocate((std::size_t{1} << kIndexBits) + 1));
  Converter converter;
  converter.shares_ = std::move(shares);
  converter.encoded_ = std::move(encoded);
  return converter;
}

bool Converter::set(Profile profile) {
  channels_ = profile.channels;
  table_ = std::move(profile.table);
  fill_encoded();
  if (table_ != nullptr) {
    auto known = Buffer<Known>::allocate(std::size_t{1} << kKnownBits);
    if (!known || !xyz_of(kSrgbPrimaries, from_xyz_) || !invert(from_xyz_)) return false;
    std::fill_n(known->data(), known->size(), Known{});
    known_ = *std::move(known);
  } else if (!set_shares(profile)) {
    return false;
  }
  std::array<std::uint8_t, 3> white = {255, 255, 255};
  if (takes_inks()) {
    apply_inks(std::array<std::uint8_t, 4>{}, white);
  } else {
    apply(white);
  }
  return *std::min_element(white.begin(), white.end()) >= 192;
}

// A level begins where the light is that of half a level less.
void Converter::fill_encoded() {
  std::size_t index = 0;
  for (int level = 0; level < 256; ++level) {
    const double end = level == 255 ? 2.0 : kSrgbCurve((level + 0.5) / 255);
    while (index < encoded_.size() && static_cast<double>(index) < end * (1 << kIndexBits))
      encoded_.data()[index++] = static_cast<std::uint8_t>(level);
  }
}

bool Converter::set_shares(const Profile& profile) {
  Matrix to_srgb{};
  if (profile.channels == 1) {
    for (auto& row : to_srgb) row[0] = 1;  // the first channel's light is all of theirs
  } else {
    Matrix from_xyz{};
    if (!xyz_of(kSrgbPrimaries, from_xyz) || !invert(from_xyz)) return false;
    to_srgb = times(from_xyz, profile.to_xyz);
  }
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (std::size_t level = 0; level < 256; ++level) {
      std::int32_t* share = shares_.data() + (channel * 256 + level) * 4;
      for (std::size_t c = 0; c < 3; ++c) {
        const double light = to_srgb[c][channel] == 0 ? 0.0 : to_srgb[c][channel] * profile.curves[channel][level];
        // Three of the largest still add up to an int. Half an index step, once in each sum, rounds it.
        share[c] = static_cast<std::int32_t>(std::floor(std::clamp(light, -64.0, 64.0) * kOne + 0.5)) +
                   (channel == 0 ? 1 << (kSpareBits - 1) : 0);
      }
      share[3] = 0;
    }
  }
  return true;
}

void Converter::look_up(const std::uint8_t* levels, std::uint8_t* rgb) const {
  const Vector light = times(from_xyz_, table_->xyz(levels));
  for (std::size_t c = 0; c < 3; ++c) {
    const double place = std::clamp(light[c], 0.0, 1.0) * (1 << kIndexBits) + 0.5;
    rgb[c] = encoded_.data()[static_cast<std::size_t>(place)];
  }
}

// A photo has far fewer colours than pixels, and a look-up takes some twenty times as long as remembering its answer:
// known_ has, at a place that follows from the colour, the last one that was asked for there.
void Converter::look_up_all(std::span<const std::uint8_t> pixels, int channels, std::span<std::uint8_t> rgb) const {
  const auto step = static_cast<std::size_t>(channels);
  for (std::size_t from = 0, to = 0; from + step <= pixels.size() && to + 3 <= rgb.size(); from += step, to += 3) {
    std::array<std::uint8_t, 4> levels{};
    std::copy_n(pixels.data() + from, step, levels.begin());
    std::uint32_t colour = 0;
    for (std::size_t i = 0; i < levels.size(); ++i) colour |= std::uint32_t{levels[i]} << 8 * i;
    Known& known = known_.data()[colour * 0x9E3779B1u >> (32 - kKnownBits)];
    if (!known.there || known.colour != colour) {
      known.colour = colour;
      known.there = true;
      look_up(levels.data(), known.rgb.data());
    }
    std::copy(known.rgb.begin(), known.rgb.end(), rgb.data() + to);
  }
}

void Converter::apply_inks(std::span<const std::uint8_t> inks, std::span<std::uint8_t> rgb) const {
  look_up_all(inks, 4, rgb);
}

void Converter::apply(std::span<std::uint8_t> rgb) const {
  if (table_ != nullptr) {
    look_up_all(rgb, 3, rgb);
    return;
  }
  const std::uint8_t* encoded = encoded_.data();
  const std::uint8_t* end = rgb.data() + rgb.size() / 3 * 3;
#ifdef DERMLET_SCALAR
  for (std::uint8_t* pixel = rgb.data(); pixel != end; pixel += 3) {
    const std::int32_t* rows[3];
    for (std::size_t channel = 0; channel < 3; ++channel)
      rows[channel] = shares_.data() + (channel * 256 + pixel[channel]) * 4;
    for (std::size_t c = 0; c < 3; ++c)
      pixel[c] = encoded[std::clamp(rows[0][c] + rows[1][c] + rows[2][c], 0, kOne) >> kSpareBits];
  }
#else
  const auto row = [&](std::size_t channel, std::uint8_t level) {
    return four_numbers(shares_.data() + (channel * 256 + level) * 4);
  };
  for (std::uint8_t* pixel = rgb.data(); pixel != end; pixel += 3) {
    Four light = row(0, pixel[0]) + row(1, pixel[1]) + row(2, pixel[2]);
    light &= light > 0;
    light = (light < kOne ? light : Four{kOne, kOne, kOne, kOne}) >> kSpareBits;
    pixel[0] = encoded[light[0]];
    pixel[1] = encoded[light[1]];
    pixel[2] = encoded[light[2]];
  }
#endif
}

bool Converter::changes_nothing() const {
  if (takes_inks()) return false;
  const auto kept = [&](std::array<std::uint8_t, 3> colour) {
    const auto before = colour;
    apply(colour);
    for (std::size_t c = 0; c < 3; ++c) {
      if (std::abs(int{colour[c]} - int{before[c]}) > 1) return false;
    }
    return true;
  };
  // Every neutral, and all colours of a lattice of 16 levels a side.
  for (unsigned v = 0; v < 256; ++v) {
    const auto level = static_cast<std::uint8_t>(v);
    if (!kept({level, level, level})) return false;
  }
  for (unsigned n = 0; n < 4096 && channels_ == 3; ++n) {
    if (!kept({static_cast<std::uint8_t>(n % 16 * 17), static_cast<std::uint8_t>(n / 16 % 16 * 17),
               static_cast<std::uint8_t>(n / 256 * 17)}))
      return false;
  }
  return true;
}

}  // namespace dermlet
