#include "decision/heatmap.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace dermlet {
namespace {

constexpr int kMaxClasses = 4096;
constexpr float kGreatestAlpha = 0.8f;

// Matplotlib's "plasma" at five places: perceptually even, told apart by people with colour-vision deficiency, and
// unlike skin.
constexpr std::array<std::array<float, 3>, 5> kPlasma = {
    {{13, 8, 135}, {126, 3, 168}, {204, 71, 120}, {248, 149, 64}, {240, 249, 33}}};

std::array<std::uint8_t, 4> colour_of(float value) {
  const float place = value * (kPlasma.size() - 1);
  const auto low = std::min(static_cast<std::size_t>(place), kPlasma.size() - 2);
  const float share = place - static_cast<float>(low);
  std::array<std::uint8_t, 4> rgba = {};
  for (std::size_t c = 0; c < 3; ++c)
    rgba[c] = static_cast<std::uint8_t>(kPlasma[low][c] * (1 - share) + kPlasma[low + 1][c] * share + 0.5f);
  rgba[3] = static_cast<std::uint8_t>(value * kGreatestAlpha * 255 + 0.5f);
  return rgba;
}

// Catmull-Rom weights of four neighbours at a fraction t behind the second.
std::array<float, 4> cubic_weights(float t) {
  return {((-0.5f * t + 1.0f) * t - 0.5f) * t, (1.5f * t - 2.5f) * t * t + 1.0f, ((-1.5f * t + 2.0f) * t + 0.5f) * t,
          (0.5f * t - 0.5f) * t * t};
}

struct Sample {
  std::array<int, 4> index;  // clamped to the grid
  std::array<float, 4> weight;
};

std::vector<Sample> samples_of(int grid, int target) {
  std::vector<Sample> samples(static_cast<std::size_t>(target));
  for (int i = 0; i < target; ++i) {
    const float place = (static_cast<float>(i) + 0.5f) * static_cast<float>(grid) / static_cast<float>(target) - 0.5f;
    const float whole = std::floor(place);
    Sample& sample = samples[static_cast<std::size_t>(i)];
    sample.weight = cubic_weights(place - whole);
    for (int k = 0; k < 4; ++k)
      sample.index[static_cast<std::size_t>(k)] = std::clamp(static_cast<int>(whole) - 1 + k, 0, grid - 1);
  }
  return samples;
}

float interpolate(const HeatMap& map, const Sample& row, const Sample& column) {
  float value = 0;
  for (std::size_t r = 0; r < 4; ++r) {
    float along = 0;
    for (std::size_t c = 0; c < 4; ++c)
      along += column.weight[c] * map.values[static_cast<std::size_t>(row.index[r] * map.columns + column.index[c])];
    value += row.weight[r] * along;
  }
  return std::clamp(value, 0.0f, 1.0f);
}

Expected<Image> paint(const HeatMap& map, int width, int height) {
  DERMLET_TRY(overlay, Image::allocate(width, height, 4));
  const auto rows = samples_of(map.rows, height);
  const auto columns = samples_of(map.columns, width);
  for (int y = 0; y < height; ++y) {
    std::uint8_t* to = overlay.row(y);
    for (int x = 0; x < width; ++x, to += 4) {
      const auto rgba =
          colour_of(interpolate(map, rows[static_cast<std::size_t>(y)], columns[static_cast<std::size_t>(x)]));
      std::copy(rgba.begin(), rgba.end(), to);
    }
  }
  return overlay;
}

}  // namespace

Expected<HeatMap> make_heat_map(std::span<const float> maps, int class_count, int rows, int columns, int class_index,
                                int overlay_width, int overlay_height) {
  if (class_count < 1 || class_count > kMaxClasses || rows < 1 || rows > kMaxGrid || columns < 1 ||
      columns > kMaxGrid) {
    return fail(ErrorCode::kInvalidArgument, "the activation maps' shape makes no sense");
  }
  const std::size_t cells = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  if (maps.size() != cells * static_cast<std::size_t>(class_count))
    return fail(ErrorCode::kInvalidArgument, "the activation maps have the wrong length");
  if (class_index < 0 || class_index >= class_count)
    return fail(ErrorCode::kInvalidArgument, "there is no such class to explain");
  if (overlay_width < 1 || overlay_height < 1 || overlay_width > kMaxOverlay || overlay_height > kMaxOverlay) {
    return fail(ErrorCode::kInvalidArgument, "the overlay's size makes no sense");
  }
  if (!std::all_of(maps.begin(), maps.end(), [](float v) { return std::isfinite(v); }))
    return fail(ErrorCode::kInvalidArgument, "an activation is not a finite number");

  HeatMap map{class_index, rows, columns, std::vector<float>(cells), {}};
  for (std::size_t i = 0; i < cells; ++i) {
    double mean = 0;
    for (int k = 0; k < class_count; ++k) mean += maps[static_cast<std::size_t>(k) * cells + i];
    mean /= class_count;
    map.values[i] = static_cast<float>(std::max(maps[static_cast<std::size_t>(class_index) * cells + i] - mean, 0.0));
  }
  const float greatest = *std::max_element(map.values.begin(), map.values.end());
  if (greatest > 0) {
    for (float& value : map.values) value /= greatest;
  }
  DERMLET_TRY(overlay, paint(map, overlay_width, overlay_height));
  map.overlay = std::move(overlay);
  return map;
}

}  // namespace dermlet
