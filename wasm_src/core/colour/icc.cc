#include "colour/icc.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>

namespace dermlet {
namespace {

constexpr auto kOrder = ByteOrder::kBig;
constexpr std::size_t kHeaderBytes = 128;
constexpr std::size_t kEntryBytes = 12;
constexpr std::uint32_t kMaxTags = 100;
constexpr std::uint32_t kMaxCurvePoints = 0x7FFF;  // LittleCMS' limit

using Vector = std::array<double, 3>;

constexpr Vector kD50 = {0.9642, 1.0, 0.8249};
constexpr Matrix kBradford = {{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}};

// Linear light in whole numbers: 14 bits choose sRGB's level (a step is 0.2 levels where the curve is steepest), 8 more
// keep sums exact.
constexpr int kIndexBits = 14;
constexpr int kSpareBits = 8;
constexpr std::int32_t kOne = std::int32_t{1} << (kIndexBits + kSpareBits);

// x to the power g by x = m * 2^e, log2(m) and 2^f as series, all rounded alike on every machine; relative error below
// 1e-13 for |g log2 x| < 100. 0 for x <= 0.
double power(double x, double g) {
  if (!(x > 0)) return 0;
  constexpr double kLn2 = std::numbers::ln2;
  int e = 0;
  double m = std::frexp(x, &e);  // 0.5 <= m < 1; exact
  if (m < 0.70710678118654752) {
    m *= 2;
    --e;
  }
  const double s = (m - 1) / (m + 1);
  double series = 0;
  for (int n = 23; n >= 1; n -= 2) series = series * (s * s) + 1.0 / n;
  const double log2_x = e + 2 * s * series / kLn2;
  const double exponent = std::clamp(g * log2_x, -1000.0, 1000.0);
  const double whole = std::floor(exponent + 0.5);
  const double f = (exponent - whole) * kLn2;
  double result = 1;
  for (int n = 16; n >= 1; --n) result = 1 + result * f / n;
  return std::ldexp(result, static_cast<int>(whole));  // exact
}

// parametricCurveType's fourth function, which holds all others: y = (a x + b)^g + e for x >= d, else c x + f.
struct Curve {
  double g = 1, a = 1, b = 0, c = 0, d = 0, e = 0, f = 0;

  [[nodiscard]] double operator()(double x) const { return x >= d ? power(a * x + b, g) + e : c * x + f; }
};

constexpr Curve kSrgbCurve = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};

// Light far outside the device's range has no meaning; the bound keeps later sums finite.
double bounded(double light) { return std::clamp(light, -4.0, 4.0); }

void fill(Levels& levels, const Curve& curve) {
  for (std::size_t i = 0; i < levels.size(); ++i) levels[i] = bounded(curve(static_cast<double>(i) / 255));
}

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

// s15Fixed16Number; 0 outside.
double read_fixed(Bytes tag, std::size_t at) {
  return static_cast<std::int32_t>(read_u32(tag, at, kOrder).value_or(0)) / 65536.0;
}

// curveType: nothing (linear), one gamma, or points evenly spaced.
bool read_curv(Bytes tag, Levels& levels) {
  const std::size_t count = read_u32(tag, 8, kOrder).value_or(kMaxCurvePoints + 1);
  if (count > kMaxCurvePoints || tag.size() < 12 + 2 * count) return false;
  const auto point = [&](std::size_t i) { return static_cast<double>(tag[12 + 2 * i] << 8 | tag[13 + 2 * i]); };
  if (count < 2) {
    fill(levels, {count == 0 ? 1.0 : point(0) / 256});
    return true;
  }
  for (std::size_t level = 0; level < levels.size(); ++level) {
    const double place = static_cast<double>(level) / 255 * static_cast<double>(count - 1);
    const std::size_t i = std::min(static_cast<std::size_t>(place), count - 2);
    levels[level] = (point(i) + (point(i + 1) - point(i)) * (place - static_cast<double>(i))) / 65535;
  }
  return true;
}

// parametricCurveType, functions 0 to 4.
bool read_para(Bytes tag, Levels& levels) {
  constexpr std::array<std::uint8_t, 5> kCounts = {1, 3, 4, 5, 7};
  const auto kind = read_u16(tag, 8, kOrder);
  if (!kind || *kind >= kCounts.size() || tag.size() < 12 + std::size_t{4} * kCounts[*kind]) return false;
  std::array<double, 7> p = {1, 1, 0, 0, 0, 0, 0};
  for (std::size_t i = 0; i < kCounts[*kind]; ++i) p[i] = read_fixed(tag, 12 + 4 * i);
  Curve curve = {p[0], p[1], p[2], p[3], p[4], p[5], p[6]};
  if (!(curve.a > 0)) return false;
  if (*kind == 1 || *kind == 2) {
    // The straight part is constant, zero in function 1, and begins where the base turns negative.
    curve.c = 0;
    curve.d = -curve.b / curve.a;
    curve.e = curve.f = p[3];
  }
  fill(levels, curve);
  return true;
}

bool read_curve(Bytes tag, Levels& levels) {
  if (starts_with(tag, "curv")) return read_curv(tag, levels);
  return starts_with(tag, "para") && read_para(tag, levels);
}

// The first tag of this name; empty when there is none or it does not lie inside.
Bytes find_tag(Bytes icc, std::string_view name) {
  const std::uint32_t count = std::min(read_u32(icc, kHeaderBytes, kOrder).value_or(0), kMaxTags);
  for (std::size_t entry = kHeaderBytes + 4; entry < kHeaderBytes + 4 + count * kEntryBytes; entry += kEntryBytes) {
    if (!starts_with(icc, name, entry)) continue;
    const std::uint32_t length = read_u32(icc, entry + 8, kOrder).value_or(0);
    const Bytes tag = slice(icc, read_u32(icc, entry + 4, kOrder).value_or(0), length);
    return tag.size() == length ? tag : Bytes();
  }
  return {};
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

}  // namespace

bool read_profile(Bytes icc, Profile& profile) {
  icc = slice(icc, 0, read_u32(icc, 0, kOrder).value_or(0));
  if (icc.size() <= kHeaderBytes || icc.size() > kMaxProfileBytes || !starts_with(icc, "acsp", 36) || icc[8] > 4)
    return false;
  // Device link, abstract and named colour profiles are no description of a device's colours.
  for (const std::string_view kind : {"link", "abst", "nmcl"}) {
    if (starts_with(icc, kind, 12)) return false;
  }
  // Where there are look-up tables too, they come first and may say something else than the matrix.
  for (const std::string_view table : {"A2B0", "A2B1", "D2B0", "D2B1"}) {
    if (!find_tag(icc, table).empty()) return false;
  }
  if (!starts_with(icc, "XYZ ", 20)) return false;
  profile.grey = starts_with(icc, "GRAY", 16);
  if (profile.grey) return read_curve(find_tag(icc, "kTRC"), profile.curves[0]);
  return starts_with(icc, "RGB ", 16) && read_channels(icc, profile);
}

bool make_profile(const Primaries& primaries, std::optional<double> exponent, Profile& profile) {
  if (exponent && !(*exponent >= 0.1 && *exponent <= 10)) return false;
  profile.grey = false;
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

bool Converter::set(const Profile& profile) {
  grey_ = profile.grey;
  Matrix to_srgb{};
  if (grey_) {
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

  // A level begins where the light is that of half a level less.
  std::size_t index = 0;
  for (int level = 0; level < 256; ++level) {
    const double end = level == 255 ? 2.0 : kSrgbCurve((level + 0.5) / 255);
    while (index < encoded_.size() && static_cast<double>(index) < end * (1 << kIndexBits))
      encoded_.data()[index++] = static_cast<std::uint8_t>(level);
  }

  std::array<std::uint8_t, 3> white = {255, 255, 255};
  apply(white);
  return *std::min_element(white.begin(), white.end()) >= 192;
}

void Converter::apply(std::span<std::uint8_t> rgb) const {
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
  // Four numbers at once, in the compiler's own vectors: SSE2, NEON or WebAssembly's.
  using Four [[gnu::vector_size(16), gnu::aligned(4), gnu::may_alias]] = std::int32_t;
  const auto row = [&](std::size_t channel, std::uint8_t level) {
    return *reinterpret_cast<const Four*>(shares_.data() + (channel * 256 + level) * 4);
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
  for (unsigned n = 0; n < 4096 && !grey_; ++n) {
    if (!kept({static_cast<std::uint8_t>(n % 16 * 17), static_cast<std::uint8_t>(n / 16 % 16 * 17),
               static_cast<std::uint8_t>(n / 256 * 17)}))
      return false;
  }
  return true;
}

}  // namespace dermlet
