#include "colour/tags.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace dermlet::icc {
namespace {

constexpr std::size_t kHeaderBytes = 128;
constexpr std::size_t kEntryBytes = 12;
constexpr std::uint32_t kMaxTags = 100;
constexpr std::uint32_t kMaxCurvePoints = 0x7FFF;                 // LittleCMS' limit
constexpr std::array<std::uint8_t, 5> kCounts = {1, 3, 4, 5, 7};  // parameters of parametricCurveType's functions

double place_of(std::size_t i, std::size_t count) { return static_cast<double>(i) / static_cast<double>(count - 1); }

// curveType: nothing (linear), one gamma, or points evenly spaced.
bool read_curv(Bytes tag, std::span<double> samples) {
  const std::size_t count = read_u32(tag, 8, kOrder).value_or(kMaxCurvePoints + 1);
  if (count > kMaxCurvePoints || tag.size() < 12 + 2 * count) return false;
  const auto point = [&](std::size_t i) { return static_cast<double>(*read_u16(tag, 12 + 2 * i, kOrder)); };
  if (count < 2) {
    fill(samples, {count == 0 ? 1.0 : point(0) / 256});
    return true;
  }
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i] = between_points(count, place_of(i, samples.size()), point) / 65535;
  return true;
}

// parametricCurveType, functions 0 to 4.
bool read_para(Bytes tag, std::span<double> samples) {
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
  fill(samples, curve);
  return true;
}

}  // namespace

// By x = m * 2^e, log2(m) and 2^f as series, all rounded alike on every machine; relative error below
// 1e-13 for |g log2 x| < 100.
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

void fill(std::span<double> samples, const Curve& curve) {
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i] = std::clamp(curve(place_of(i, samples.size())), -4.0, 4.0);
}

double read_fixed(Bytes tag, std::size_t at) {
  return static_cast<std::int32_t>(read_u32(tag, at, kOrder).value_or(0)) / 65536.0;
}

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

bool read_curve(Bytes tag, std::span<double> samples) {
  if (starts_with(tag, "curv")) return read_curv(tag, samples);
  return starts_with(tag, "para") && read_para(tag, samples);
}

std::size_t curve_bytes(Bytes tag) {
  std::size_t bytes = 0;
  if (starts_with(tag, "curv")) {
    const std::size_t count = read_u32(tag, 8, kOrder).value_or(kMaxCurvePoints + 1);
    bytes = count > kMaxCurvePoints ? 0 : 12 + 2 * count;
  } else if (starts_with(tag, "para")) {
    const std::size_t kind = read_u16(tag, 8, kOrder).value_or(kCounts.size());
    bytes = kind >= kCounts.size() ? 0 : 12 + std::size_t{4} * kCounts[kind];
  }
  return bytes > tag.size() ? 0 : (bytes + 3) / 4 * 4;
}

}  // namespace dermlet::icc
