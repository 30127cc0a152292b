#include "colour/table.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace dermlet::icc {
namespace {

constexpr double kMost = 65535;
constexpr std::size_t kOutputs = 3;

// CIELAB to XYZ relative to D50 (CIE 15).
Vector xyz_of_lab(double lightness, double a, double b) {
  const auto light = [](double t) { return t > 24.0 / 116 ? t * t * t : (108.0 / 841) * (t - 16.0 / 116); };
  const double y = (lightness + 16) * (1.0 / 116);
  return {0.9642 * light(y + a * 0.002), light(y), 0.8249 * light(y - b * 0.005)};
}

}  // namespace

double Table::Stage::operator()(double v) const {
  if (samples.empty()) return v;
  return between_points(kSamples, std::clamp(v, 0.0, 1.0), [&](std::size_t i) { return samples.data()[i]; });
}

// The table's points and where each stored level lies between them.
bool Table::read_nodes(Bytes data, const std::array<std::size_t, 4>& grid, bool wide) {
  const std::size_t bytes = wide ? 2 : 1;
  std::size_t values = kOutputs;
  for (std::size_t c = channels_; c-- > 0;) {
    strides_[c] = values;
    // A point takes bytes of the tag, which is small: no product overflows.
    if (grid[c] < 2 || grid[c] > data.size() / (values * bytes)) return false;
    values *= grid[c];
  }
  auto nodes = Buffer<std::uint16_t>::allocate(values);
  if (!nodes) return false;
  nodes_ = *std::move(nodes);
  for (std::size_t i = 0; i < values; ++i)
    nodes_.data()[i] = wide ? *read_u16(data, 2 * i, kOrder) : static_cast<std::uint16_t>(data[i] * 257);
  for (std::size_t c = 0; c < channels_; ++c) {
    for (std::size_t level = 0; level < 256; ++level) {
      const double place = std::clamp(inputs_[c][level], 0.0, 1.0) * static_cast<double>(grid[c] - 1);
      const std::size_t below = std::min(static_cast<std::size_t>(place), grid[c] - 2);
      places_[c][level] = {below * strides_[c], place - static_cast<double>(below)};
    }
  }
  return true;
}

// Takes `curve`, a tag of a curve, unless it changes nothing.
bool Table::read_stage(Stage& stage, Bytes curve) {
  auto samples = Buffer<double>::allocate(kSamples);
  if (!samples || !read_curve(curve, samples->span())) return false;
  double greatest = 0;
  for (std::size_t i = 0; i < kSamples; ++i) {
    const double change = samples->data()[i] - static_cast<double>(i) / static_cast<double>(kSamples - 1);
    greatest = std::max(greatest, std::abs(change));
  }
  if (greatest > 1e-6) stage.samples = *std::move(samples);
  return true;
}

// lut8Type and lut16Type: a matrix, which is for XYZ alone, curves, the table, curves.
bool Table::read_tables(Bytes tag, bool wide) {
  if (read_u8(tag, 8) != channels_ || read_u8(tag, 9) != kOutputs) return false;
  for (std::size_t i = 0; i < 9; ++i) {
    if (read_fixed(tag, 12 + 4 * i) != (i % 4 == 0 ? 1.0 : 0.0)) return false;
  }
  const std::size_t before = wide ? read_u16(tag, 48, kOrder).value_or(0) : 256;
  const std::size_t after = wide ? read_u16(tag, 50, kOrder).value_or(0) : 256;
  if (before < 2 || before > 4096 || after < 2 || after > 4096) return false;
  const std::size_t bytes = wide ? 2 : 1;
  const auto value = [&](Bytes curve, std::size_t i) {
    return wide ? *read_u16(curve, 2 * i, kOrder) / kMost : curve[i] / 255.0;
  };
  Bytes rest = slice(tag, wide ? 52 : 48);
  const auto take = [&](std::size_t length) { return std::exchange(rest, slice(rest, length)).first(length); };
  if (rest.size() < channels_ * before * bytes) return false;
  for (std::size_t c = 0; c < channels_; ++c) {
    const Bytes curve = take(before * bytes);
    for (std::size_t level = 0; level < 256; ++level)
      inputs_[c][level] =
          between_points(before, static_cast<double>(level) / 255, [&](std::size_t i) { return value(curve, i); });
  }
  std::array<std::size_t, 4> grid{};
  grid.fill(tag[10]);
  if (!read_nodes(rest, grid, wide)) return false;
  (void)take(nodes_.size() * bytes);
  if (rest.size() < kOutputs * after * bytes) return false;
  for (Stage& stage : last_) {
    const Bytes curve = take(after * bytes);
    auto samples = Buffer<double>::allocate(kSamples);
    if (!samples) return false;
    for (std::size_t i = 0; i < kSamples; ++i)
      samples->data()[i] = between_points(after, static_cast<double>(i) / static_cast<double>(kSamples - 1),
                                          [&](std::size_t point) { return value(curve, point); });
    stage.samples = *std::move(samples);
  }
  return true;
}

bool Table::read_curves(Bytes tag, std::size_t at, std::array<Stage, 3>& stages) {
  Bytes rest = slice(tag, at);
  for (Stage& stage : stages) {
    const std::size_t length = curve_bytes(rest);
    if (length == 0 || !read_stage(stage, rest)) return false;
    rest = slice(rest, length);
  }
  return true;
}

bool Table::read_inputs(Bytes tag, std::size_t at) {
  Bytes rest = slice(tag, at);
  for (std::size_t c = 0; c < channels_; ++c) {
    for (std::size_t level = 0; level < 256 && at == 0; ++level) inputs_[c][level] = static_cast<double>(level) / 255;
    if (at == 0) continue;
    const std::size_t length = curve_bytes(rest);
    if (length == 0 || !read_curve(rest, inputs_[c])) return false;
    rest = slice(rest, length);
  }
  return true;
}

// lutAToBType: any of curves and a table, curves, a matrix, and curves.
bool Table::read_stages(Bytes tag) {
  if (read_u8(tag, 8) != channels_ || read_u8(tag, 9) != kOutputs) return false;
  std::array<std::size_t, 5> at{};  // of the last curves, the matrix, the middle curves, the table, the first curves
  for (std::size_t i = 0; i < at.size(); ++i) at[i] = read_u32(tag, 12 + 4 * i, kOrder).value_or(0);
  const auto [last, matrix, middle, table, first] = at;
  if (!read_inputs(tag, first)) return false;
  if (table != 0) {
    const Bytes data = slice(tag, table);
    if (data.size() < 20) return false;
    std::array<std::size_t, 4> grid{};
    std::copy_n(data.begin(), 4, grid.begin());
    const int width = data[16];
    if ((width != 1 && width != 2) || !read_nodes(data.subspan(20), grid, width == 2)) return false;
  } else if (channels_ != kOutputs) {
    return false;
  }
  if (middle != 0 && !read_curves(tag, middle, middle_)) return false;
  has_matrix_ = matrix != 0;
  if (has_matrix_) {
    if (slice(tag, matrix).size() < 48) return false;
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t c = 0; c < 3; ++c) matrix_[r][c] = read_fixed(tag, matrix + 4 * (3 * r + c));
      offset_[r] = read_fixed(tag, matrix + 36 + 4 * r);
    }
  }
  return last == 0 || read_curves(tag, last, last_);
}

bool Table::read(Bytes tag, int channels, bool lab) {
  channels_ = static_cast<std::size_t>(channels);
  lab_ = lab;
  old_lab_ = starts_with(tag, "mft2");
  if (starts_with(tag, "mft1") || old_lab_) return read_tables(tag, old_lab_);
  return starts_with(tag, "mAB ") && read_stages(tag);
}

Vector Table::node(std::size_t at) const {
  const std::uint16_t* values = nodes_.data() + at;
  return {static_cast<double>(values[0]), static_cast<double>(values[1]), static_cast<double>(values[2])};
}

// Over the last three channels, from the table's point at `at`: along its edges, in the order of how far beyond it the
// colour lies.
Vector Table::in_tetrahedron(std::size_t at, const Place* places) const {
  struct Edge {
    double beyond;
    std::size_t stride;
  };
  std::array<Edge, 3> edges{};
  for (std::size_t i = 0; i < 3; ++i) {
    at += places[i].offset;
    edges[i] = {places[i].beyond, strides_[channels_ - 3 + i]};
  }
  const auto order = [](Edge& a, Edge& b) {
    if (a.beyond < b.beyond) std::swap(a, b);
  };
  order(edges[0], edges[1]);
  order(edges[1], edges[2]);
  order(edges[0], edges[1]);
  Vector sum{};
  double share = 1 - edges[0].beyond;
  for (std::size_t i = 0;; ++i) {
    const Vector corner = node(at);
    for (std::size_t c = 0; c < 3; ++c) sum[c] += share * corner[c];
    if (i == 3) return sum;
    at += edges[i].stride;
    share = edges[i].beyond - (i == 2 ? 0 : edges[i + 1].beyond);
  }
}

Vector Table::interpolated(const std::uint8_t* levels) const {
  if (nodes_.empty()) return {inputs_[0][levels[0]], inputs_[1][levels[1]], inputs_[2][levels[2]]};
  std::array<Place, 4> places;
  for (std::size_t c = 0; c < channels_; ++c) places[c] = places_[c][levels[c]];
  Vector result{};
  if (channels_ == 3) {
    result = in_tetrahedron(0, places.data());
  } else {
    const Place& first = places[0];
    const auto at = [&](std::size_t from) {
      return channels_ == 1 ? node(from) : in_tetrahedron(from, places.data() + 1);
    };
    const Vector below = at(first.offset);
    const Vector above = at(first.offset + strides_[0]);
    for (std::size_t c = 0; c < 3; ++c) result[c] = below[c] + (above[c] - below[c]) * first.beyond;
  }
  for (double& value : result) value *= 1 / kMost;
  return result;
}

Vector Table::xyz(const std::uint8_t* levels) const {
  Vector v = interpolated(levels);
  for (std::size_t c = 0; c < 3; ++c) v[c] = middle_[c](v[c]);
  if (has_matrix_) {
    const Vector from = v;
    for (std::size_t r = 0; r < 3; ++r)
      v[r] = matrix_[r][0] * from[0] + matrix_[r][1] * from[1] + matrix_[r][2] * from[2] + offset_[r];
  }
  for (std::size_t c = 0; c < 3; ++c) v[c] = last_[c](v[c]);
  constexpr double kMostXyz = 1 + 32767.0 / 32768;
  if (!lab_) return {v[0] * kMostXyz, v[1] * kMostXyz, v[2] * kMostXyz};
  if (old_lab_) return xyz_of_lab(v[0] * (100 * kMost / 65280), v[1] * (kMost / 256) - 128, v[2] * (kMost / 256) - 128);
  return xyz_of_lab(v[0] * 100, v[1] * 255 - 128, v[2] * 255 - 128);
}

}  // namespace dermlet::icc
