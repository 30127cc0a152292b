#include "geometry/resample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>
#include <vector>

#include "vectors.h"

namespace dermlet {
namespace {

constexpr int kPrecisionBits = 32 - 8 - 2;
constexpr std::int32_t kHalf = 1 << (kPrecisionBits - 1);
constexpr int kMaxTarget = 16'384;  // pixels a side; keeps coefficient tables small

double bilinear(double x) {
  x = std::fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double bicubic(double x) {
  constexpr double kA = -0.5;
  x = std::fabs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0.0;
}

double sinc(double x) {
  if (x == 0.0) return 1.0;
  // sin(pi x) by its series around the nearest whole number: libm's last digit differs between systems, and its sine
  // takes 2 KB.
  const double whole = std::floor(x + 0.5);
  const double y = (x - whole) * std::numbers::pi;
  double series = 1;
  for (int n = 22; n >= 2; n -= 2) series = 1 - series * (y * y) / (n * (n + 1));
  const double sine = static_cast<int>(whole) % 2 == 0 ? y * series : -y * series;
  return sine / (x * std::numbers::pi);
}

double lanczos(double x) { return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0; }

struct Kernel {
  double (*weight)(double);
  double support;  // source pixels at scale 1
};

Kernel kernel_of(Filter filter) {
  switch (filter) {
    case Filter::kBilinear:
      return {bilinear, 1.0};
    case Filter::kBicubic:
      return {bicubic, 2.0};
    case Filter::kLanczos:
      return {lanczos, 3.0};
  }
  return {bilinear, 1.0};
}

// For each target position: the first source position, how many follow, and their weights in 22-bit fixed point.
struct Taps {
  std::vector<int> first;
  std::vector<int> count;
  Buffer<std::int32_t> weights;  // `width` a target position
  int width = 0;
};

// Part of one axis: where it begins and how long it is, in source pixels, and the whole pixels that it touches.
struct Span {
  double start;
  double length;
  int first;
  int end;

  [[nodiscard]] bool is_whole(int target) const { return start == first && length == target; }
  [[nodiscard]] int pixels() const { return end - first; }
};

Span span_of(double start, double length, int source) {
  return {start, length, static_cast<int>(std::floor(start)),
          std::min(static_cast<int>(std::ceil(start + length)), source)};
}

// Positions count from span.first.
Expected<Taps> make_taps(const Span& span, int target, const Kernel& kernel) {
  const double scale = span.length / target;
  const double offset = span.start - span.first;
  const double filter_scale = std::max(scale, 1.0);
  const double support = kernel.support * filter_scale;
  Taps taps;
  taps.width = static_cast<int>(std::ceil(support)) * 2 + 1;
  DERMLET_TRY(weights,
              Buffer<std::int32_t>::allocate(static_cast<std::size_t>(target), static_cast<std::size_t>(taps.width)));
  DERMLET_TRY(exact, Buffer<double>::allocate(static_cast<std::size_t>(taps.width)));
  taps.weights = std::move(weights);
  taps.first.resize(static_cast<std::size_t>(target));
  taps.count.resize(static_cast<std::size_t>(target));
  for (int i = 0; i < target; ++i) {
    const double center = offset + (i + 0.5) * scale;
    const double inverse = 1.0 / filter_scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int count = std::min(static_cast<int>(center + support + 0.5), span.pixels()) - first;
    double sum = 0.0;
    for (int k = 0; k < count; ++k) {
      exact.data()[k] = kernel.weight((k + first - center + 0.5) * inverse);
      sum += exact.data()[k];
    }
    std::int32_t* fixed = taps.weights.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(taps.width);
    for (int k = 0; k < count; ++k) {
      const double weight = (sum != 0.0 ? exact.data()[k] / sum : exact.data()[k]) * (1 << kPrecisionBits);
      fixed[k] = static_cast<std::int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    taps.first[static_cast<std::size_t>(i)] = first;
    taps.count[static_cast<std::size_t>(i)] = count;
  }
  return taps;
}

std::uint8_t to_byte(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255)); }

// A sum of weighted pixels, for each channel.
#ifdef DERMLET_SCALAR

using PixelSum = std::array<std::int32_t, 3>;

PixelSum weighted_sum(const std::uint8_t* pixels, const std::int32_t* weights, int count) {
  PixelSum sum = {kHalf, kHalf, kHalf};
  for (int k = 0; k < count; ++k, pixels += 3) {
    for (std::size_t c = 0; c < 3; ++c) sum[c] += pixels[c] * weights[k];
  }
  return sum;
}

#else

// The fourth is what follows a pixel and serves nothing.
using PixelSum = Four;

PixelSum weighted_sum(const std::uint8_t* pixels, const std::int32_t* weights, int count) {
  PixelSum sum = {kHalf, kHalf, kHalf, 0};
  int k = 0;
  for (; k + 1 < count; ++k, pixels += 3) sum += four_bytes(pixels) * weights[k];
  // Nothing may follow the last one.
  if (k < count) sum += PixelSum{pixels[0], pixels[1], pixels[2], 0} * weights[k];
  return sum;
}

#endif

// The rows that `down` touches, brought to `width` pixels.
Expected<Image> horizontal_pass(const Image& source, const Span& across, const Span& down, int width,
                                const Kernel& kernel) {
  DERMLET_TRY(taps, make_taps(across, width, kernel));
  DERMLET_TRY(result, Image::allocate(width, down.pixels(), 3));
  for (int y = 0; y < result.height; ++y) {
    const std::uint8_t* row = source.row(down.first + y) + static_cast<std::size_t>(across.first) * 3;
    std::uint8_t* to = result.row(y);
    const std::int32_t* weights = taps.weights.data();
    for (int x = 0; x < width; ++x, weights += taps.width, to += 3) {
      const std::uint8_t* from = row + static_cast<std::size_t>(taps.first[static_cast<std::size_t>(x)]) * 3;
      const PixelSum sum = weighted_sum(from, weights, taps.count[static_cast<std::size_t>(x)]);
      for (std::size_t c = 0; c < 3; ++c) to[c] = to_byte(sum[c]);
    }
  }
  return result;
}

// `width` columns of the source from `left`, brought to `height` rows.
Expected<Image> vertical_pass(const Image& source, int left, int width, const Span& down, int height,
                              const Kernel& kernel) {
  DERMLET_TRY(taps, make_taps(down, height, kernel));
  DERMLET_TRY(result, Image::allocate(width, height, 3));
  const std::size_t values = result.stride();
  DERMLET_TRY(sums, Buffer<std::int32_t>::allocate(values));
  std::int32_t* sum = sums.data();
  for (int y = 0; y < height; ++y) {
    std::fill(sum, sum + values, kHalf);
    const std::int32_t* weights =
        taps.weights.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(taps.width);
    for (int k = 0; k < taps.count[static_cast<std::size_t>(y)]; ++k) {
      // Whole rows at a time, so that the compiler's vectors run along contiguous memory.
      const std::uint8_t* from =
          source.row(down.first + taps.first[static_cast<std::size_t>(y)] + k) + static_cast<std::size_t>(left) * 3;
      const std::int32_t weight = weights[k];
      for (std::size_t i = 0; i < values; ++i) sum[i] += from[i] * weight;
    }
    std::uint8_t* to = result.row(y);
    for (std::size_t i = 0; i < values; ++i) to[i] = to_byte(sum[i]);
  }
  return result;
}

Expected<Image> copy_of(const Image& source, int left, int top, int width, int height) {
  DERMLET_TRY(result, Image::allocate(width, height, 3));
  for (int y = 0; y < height; ++y)
    std::memcpy(result.row(y), source.row(top + y) + static_cast<std::size_t>(left) * 3, result.stride());
  return result;
}

}  // namespace

// NOLINTNEXTLINE(misc-no-recursion): once, for the whole of what it then shows the middle of
Rect fitted_region(const Rect& area, int width, int height, Fit fit, double crop_pct) {
  if (crop_pct < 1) {
    const Rect around = fitted_region(area, width, height, fit);
    const auto shown = [&](int side) { return std::clamp(static_cast<int>(side * crop_pct + 0.5), 1, side); };
    const int shown_width = shown(around.width);
    const int shown_height = shown(around.height);
    return {around.x + (around.width - shown_width) / 2, around.y + (around.height - shown_height) / 2, shown_width,
            shown_height};
  }
  if (fit == Fit::kStretch) return area;
  const auto scaled = [](int side, int to, int from) {
    return static_cast<int>(std::max<std::int64_t>(1, std::int64_t{side} * to / from));
  };
  const int cut_width = std::min(area.width, scaled(area.height, width, height));
  const int cut_height = std::min(area.height, scaled(area.width, height, width));
  return {area.x + (area.width - cut_width) / 2, area.y + (area.height - cut_height) / 2, cut_width, cut_height};
}

Expected<Image> resample(const Image& source, const Box& region, int width, int height, Filter filter) {
  const bool inside = region.x >= 0 && region.y >= 0 && region.width > 0 && region.height > 0 &&
                      region.x + region.width <= source.width && region.y + region.height <= source.height;
  if (source.channels != 3 || !inside) return fail(ErrorCode::kInvalidArgument, "the region lies outside the picture");
  if (width < 1 || height < 1 || width > kMaxTarget || height > kMaxTarget)
    return fail(ErrorCode::kInvalidArgument, "the target size makes no sense");
  const Kernel kernel = kernel_of(filter);
  const Span across = span_of(region.x, region.width, source.width);
  const Span down = span_of(region.y, region.height, source.height);
  if (across.is_whole(width) && down.is_whole(height)) return copy_of(source, across.first, down.first, width, height);
  if (across.is_whole(width)) return vertical_pass(source, across.first, width, down, height, kernel);
  auto narrow = horizontal_pass(source, across, down, width, kernel);
  if (!narrow || down.is_whole(height)) return narrow;
  // The narrow picture begins at the first row that the region touches.
  return vertical_pass(*narrow, 0, width, {down.start - down.first, down.length, 0, down.pixels()}, height, kernel);
}

}  // namespace dermlet
