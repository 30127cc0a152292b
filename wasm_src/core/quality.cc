#include "quality.h"

#include <algorithm>
#include <cmath>

namespace dermlet {
namespace {

// Integer sums, so that the value is the same to the last bit everywhere.
float luma_deviation(const Image& view) {
  std::uint64_t sum = 0;
  std::uint64_t squares = 0;
  const std::size_t count = static_cast<std::size_t>(view.width) * static_cast<std::size_t>(view.height);
  const std::uint8_t* pixel = view.pixels.data();
  for (std::size_t i = 0; i < count; ++i, pixel += 3) {
    const std::uint64_t luma = 299u * pixel[0] + 587u * pixel[1] + 114u * pixel[2];  // thousandths of a level
    sum += luma;
    squares += luma * luma;
  }
  if (count == 0) return 0;
  const double mean = static_cast<double>(sum) / static_cast<double>(count);
  const double variance = static_cast<double>(squares) / static_cast<double>(count) - mean * mean;
  return static_cast<float>(std::sqrt(std::max(variance, 0.0)) / 1000.0);
}

}  // namespace

Quality assess(const Image& view, const Rect& region, const QualityLimits& limits) {
  const auto side = static_cast<float>(std::min(region.width, region.height));
  const auto min_side = static_cast<float>(limits.min_side);
  const float contrast = luma_deviation(view);
  Quality quality;
  quality.checks = {{"too_small", side, min_side, side >= min_side}, {"flat", contrast, limits.min_contrast, contrast >= limits.min_contrast}};
  quality.usable = std::all_of(quality.checks.begin(), quality.checks.end(), [](const QualityCheck& check) { return check.passed; });
  return quality;
}

}  // namespace dermlet
