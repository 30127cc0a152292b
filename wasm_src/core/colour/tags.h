// What an ICC profile is made of: its table of tags, and the curves in them. Used by icc.cc and table.cc alone.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "bytes.h"

namespace dermlet::icc {

inline constexpr auto kOrder = ByteOrder::kBig;

using Vector = std::array<double, 3>;

// x to the power g, alike on every machine; 0 for x <= 0.
[[nodiscard]] double power(double x, double g);

// parametricCurveType's fourth function, which holds all others: y = (a x + b)^g + e for x >= d, else c x + f.
struct Curve {
  double g = 1, a = 1, b = 0, c = 0, d = 0, e = 0, f = 0;

  [[nodiscard]] double operator()(double x) const { return x >= d ? power(a * x + b, g) + e : c * x + f; }
};

// s15Fixed16Number; 0 outside.
[[nodiscard]] double read_fixed(Bytes tag, std::size_t at);

// The first tag of this name; empty when there is none or it does not lie inside.
[[nodiscard]] Bytes find_tag(Bytes icc, std::string_view name);

// The curve at evenly spaced places from 0 to 1, of which there are 2 at least: every value is -4 to 4, as light far
// outside the device's range has no meaning and later sums must be finite.
void fill(std::span<double> samples, const Curve& curve);

// The same of a curve in a tag (curveType, parametricCurveType). False when it is neither or makes no sense.
[[nodiscard]] bool read_curve(Bytes tag, std::span<double> samples);

// How many bytes such a curve takes, padding included; 0 when it is none or does not lie inside.
[[nodiscard]] std::size_t curve_bytes(Bytes tag);

// The value between evenly spaced points, `place` being 0 to 1.
template <typename Point>
[[nodiscard]] double between_points(std::size_t count, double place, const Point& point) {
  const double scaled = place * static_cast<double>(count - 1);
  const std::size_t i = scaled < static_cast<double>(count - 2) ? static_cast<std::size_t>(scaled) : count - 2;
  return point(i) + (point(i + 1) - point(i)) * (scaled - static_cast<double>(i));
}

}  // namespace dermlet::icc
