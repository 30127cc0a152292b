#include "view/quality.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <tuple>
#include <utility>

namespace dermlet {
namespace {

constexpr double kLevel = 256;  // of luma as it is summed
constexpr std::int32_t kSeamStep = 8 * 256;

// Sums over k x k blocks, row by row; what is left over at the right and below is not looked at.
struct Blocks {
  Buffer<std::int32_t> sums;
  int columns = 0;
  int rows = 0;
  double scale = 1;  // a sum times it is a mean in levels

  [[nodiscard]] const std::int32_t* row(int y) const {
    return sums.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(columns);
  }
  [[nodiscard]] std::int32_t at(int x, int y) const { return row(y)[x]; }
};

struct Tones {
  int brightness = 0;
  int span = 0;
  double clipped = 0;
  double colour = 0;
};

using Weights = std::array<std::int32_t, 3>;  // of red, green and blue
constexpr Weights kLuma = {77, 150, 29};
constexpr Weights kAgainstSkin = {-2, 3, 0};

std::int32_t weighted(const std::uint8_t* pixel, const Weights& weights) {
  return weights[0] * pixel[0] + weights[1] * pixel[1] + weights[2] * pixel[2];
}

Expected<Blocks> blocks_of(int columns, int rows, double scale) {
  DERMLET_TRY(sums, Buffer<std::int32_t>::allocate(static_cast<std::size_t>(columns), static_cast<std::size_t>(rows)));
  return Blocks{std::move(sums), columns, rows, scale};
}

// Every pixel by itself.
Expected<Blocks> pixels_of(const Image& view, const Weights& weights) {
  DERMLET_TRY(blocks, blocks_of(view.width, view.height, 1 / kLevel));
  const std::uint8_t* pixel = view.pixels.data();
  for (std::int32_t& sum : blocks.sums.span()) {
    sum = weighted(pixel, weights);
    pixel += 3;
  }
  return blocks;
}

// Over blocks `times` as large a side.
Expected<Blocks> coarser(const Blocks& fine, int times) {
  DERMLET_TRY(blocks, blocks_of(fine.columns / times, fine.rows / times, fine.scale / (times * times)));
  std::fill_n(blocks.sums.data(), blocks.sums.size(), 0);
  for (int y = 0; y < blocks.rows * times; ++y) {
    std::int32_t* sum = blocks.sums.data() + std::ptrdiff_t{y / times} * blocks.columns;
    const std::int32_t* from = fine.row(y);
    for (int x = 0; x < blocks.columns; ++x, ++sum) {
      for (int i = 0; i < times; ++i) *sum += *from++;
    }
  }
  return blocks;
}

// Mean squared difference of neighbours `dx` to the right or `dy` below, squared levels; 0 where there are none.
double difference(const Blocks& blocks, int dx, int dy) {
  double sum = 0;  // of whole numbers; exact below 2^53, and rounded in one order above
  for (int y = dy; y < blocks.rows; ++y) {
    for (int x = dx; x < blocks.columns; ++x) {
      const double d = blocks.at(x, y) - blocks.at(x - dx, y - dy);
      sum += d * d;
    }
  }
  const auto count = static_cast<double>(blocks.columns - dx) * (blocks.rows - dy);
  return count > 0 ? sum / count * blocks.scale * blocks.scale : 0;
}

double variation(const Blocks& blocks) { return difference(blocks, 1, 0) + difference(blocks, 0, 1); }

// Immerkaer's estimate: the mean size of a difference of two Laplacians, which smooth shades and straight edges do not
// have.
double noise_of(const Blocks& pixels) {
  double sum = 0;
  for (int y = 1; y + 1 < pixels.rows; ++y) {
    for (int x = 1; x + 1 < pixels.columns; ++x) {
      const auto across = [&](int row) {
        return pixels.at(x - 1, row) - 2 * pixels.at(x, row) + pixels.at(x + 1, row);
      };
      sum += std::abs(across(y - 1) - 2 * across(y) + across(y + 1));
    }
  }
  constexpr double kRootOfHalfPi = 1.2533141373155003;
  const double count = static_cast<double>(pixels.columns - 2) * (pixels.rows - 2);
  return pixels.columns > 2 && pixels.rows > 2 ? kRootOfHalfPi / 6 * sum / count * pixels.scale : 0;
}

double sharpness_of(double fine, double coarse, double noise) {
  const double variance = noise * noise;
  const double reference = coarse - variance / 16;
  constexpr double kNothing = 1e-2;  // squared levels: less than rounding to 8 bits makes
  return reference < kNothing ? 1 : std::max(fine - variance, 0.0) / reference;
}

// The first level, from one end on, up to which one pixel in `parts` lies.
[[gnu::noinline]] int level_of(const std::array<std::size_t, 256>& histogram, int level, int step, std::size_t count,
                               std::size_t parts) {
  for (std::size_t passed = histogram[static_cast<std::size_t>(level)]; passed * parts < count;
       passed += histogram[static_cast<std::size_t>(level)])
    level += step;
  return level;
}

Tones tones_of(const Image& view) {
  std::size_t clipped = 0;
  std::size_t colour = 0;
  std::array<std::size_t, 256> histogram = {};
  const std::size_t count = static_cast<std::size_t>(view.width) * static_cast<std::size_t>(view.height);
  const std::uint8_t* pixel = view.pixels.data();
  for (std::size_t i = 0; i < count; ++i, pixel += 3) {
    ++histogram[static_cast<std::size_t>(weighted(pixel, kLuma) >> 8)];
    const auto [least, greatest] = std::minmax({pixel[0], pixel[1], pixel[2]});
    clipped += greatest >= 254 ? 1u : 0u;
    colour += static_cast<std::size_t>(greatest - least);
  }
  return {level_of(histogram, 255, -1, count, 10),
          level_of(histogram, 255, -1, count, 1000) - level_of(histogram, 0, 1, count, 1000),
          static_cast<double>(clipped) / static_cast<double>(count),
          static_cast<double>(colour) / static_cast<double>(count)};
}

// The greatest share of rows in which luma jumps at one and the same column; `down`: of columns, at one row.
double seam_of(const Blocks& pixels, bool down) {
  const int across = down ? pixels.rows : pixels.columns;
  const int along = down ? pixels.columns : pixels.rows;
  const auto change = [&](int place, int line) {
    const auto at = [&](int x) { return down ? pixels.at(line, x) : pixels.at(x, line); };
    return std::abs(at(place + 1) - at(place - 1));
  };
  const int margin = std::max(across / 16, 3);
  int most = 0;
  for (int place = margin; place < across - margin; ++place) {
    int jumps = 0;
    for (int line = 0; line < along; ++line) {
      const std::int32_t step = change(place, line);
      jumps += step > kSeamStep && step > 2 * std::max(change(place - 2, line), change(place + 2, line)) ? 1 : 0;
    }
    most = std::max(most, jumps);
  }
  return along > 0 ? static_cast<double>(most) / along : 0;
}

// Standard deviation, levels.
double deviation_of(const Blocks& blocks) {
  double sum = 0;
  for (const std::int32_t value : blocks.sums.span()) sum += value;
  const auto count = static_cast<double>(blocks.sums.size());
  double total = 0;
  for (const std::int32_t value : blocks.sums.span()) {
    const double d = value - sum / count;
    total += d * d;
  }
  return count > 0 ? std::sqrt(total / count) * blocks.scale : 0;
}

// The least value that more than half of them do not exceed, found by halving the range of all sums.
std::int32_t median_of(std::span<const std::int32_t> values) {
  std::int32_t low = -(1 << 30);
  std::int32_t high = 1 << 30;
  while (low < high) {
    const auto middle = static_cast<std::int32_t>((std::int64_t{low} + high) >> 1);
    const auto below = std::count_if(values.begin(), values.end(), [&](std::int32_t value) { return value <= middle; });
    if (2 * static_cast<std::size_t>(below) > values.size()) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// How far the centroid of what lies below the median is from the centre, in half sides.
double offset_of(const Blocks& blocks) {
  if (blocks.sums.empty()) return 0;
  const std::int32_t median = median_of(blocks.sums.span());
  double total = 0;
  double across = 0;
  double down = 0;
  for (int y = 0; y < blocks.rows; ++y) {
    for (int x = 0; x < blocks.columns; ++x) {
      const double d = std::max(median - blocks.at(x, y), 0);
      total += d * d;
      across += d * d * (2 * x + 1 - blocks.columns) / blocks.columns;
      down += d * d * (2 * y + 1 - blocks.rows) / blocks.rows;
    }
  }
  return total > 0 ? std::sqrt(across * across + down * down) / total : 0;
}

}  // namespace

Expected<QualityValues> measure_quality(const Image& view, const Rect& region) {
  // Each of pixels, or of blocks of an earlier one.
  constexpr std::array kTimes = {1, 2, 4, 2, 1, 16};
  std::array<Blocks, kTimes.size()> grids;
  for (std::size_t i = 0; i < kTimes.size(); ++i) {
    DERMLET_TRY(blocks,
                kTimes[i] == 1 ? pixels_of(view, i == 0 ? kLuma : kAgainstSkin) : coarser(grids[i - 1], kTimes[i]));
    grids[i] = std::move(blocks);
  }
  const auto& [pixels, fine, coarse, cells, against_pixels, against] = grids;
  const Tones tones = tones_of(view);
  const double noise = noise_of(pixels);
  const std::array found = {
      static_cast<double>(std::min(region.width, region.height)),
      sharpness_of(variation(fine), variation(coarse), noise),
      static_cast<double>(tones.brightness),
      tones.clipped,
      static_cast<double>(tones.span),
      deviation_of(cells),
      noise,
      offset_of(against),
      tones.colour,
      std::max(seam_of(pixels, false), seam_of(pixels, true)),
  };
  static_assert(std::tuple_size_v<decltype(found)> == kQualityKinds.size());
  QualityValues values;
  std::transform(found.begin(), found.end(), values.begin(), [](double value) { return static_cast<float>(value); });
  return values;
}

Quality judge_quality(const QualityValues& values, const QualityLimits& limits) {
  Quality quality;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!limits[i]) continue;
    const bool passed = kQualityKinds[i].highest ? values[i] <= *limits[i] : values[i] >= *limits[i];
    quality.checks.push_back({kQualityKinds[i].id, values[i], *limits[i], passed});
    quality.usable = quality.usable && passed;
  }
  return quality;
}

}  // namespace dermlet
