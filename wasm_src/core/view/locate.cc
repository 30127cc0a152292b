#include "view/locate.h"

#include <algorithm>
#include <cmath>

#include "finite.h"

namespace dermlet {
namespace {

struct Grid {
  std::span<const float> values;
  int rows;
  int columns;

  [[nodiscard]] std::size_t cells() const { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns); }
  [[nodiscard]] float at(int channel, int row, int column) const {
    const auto cell =
        static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(column);
    return values[static_cast<std::size_t>(channel) * cells() + cell];
  }
};

double sigmoid(double logit) { return 1 / (1 + std::exp(-logit)); }

// Of equal neighbours the first in reading order is the greatest, so that a plateau gives one candidate.
bool is_greatest_around(const Grid& grid, int row, int column) {
  const float here = grid.at(0, row, column);
  for (int y = std::max(row - 1, 0); y <= std::min(row + 1, grid.rows - 1); ++y) {
    for (int x = std::max(column - 1, 0); x <= std::min(column + 1, grid.columns - 1); ++x) {
      const bool before = y < row || (y == row && x < column);
      const float there = grid.at(0, y, x);
      if (there > here || (there == here && before)) return false;
    }
  }
  return true;
}

// A side of a box about `centre` of `share` of `length` pixels, cut where the picture ends.
void place(double centre, double share, int length, double& start, double& extent) {
  const double half = std::clamp(share, 0.0, 1.0) / 2;
  start = std::clamp(centre - half, 0.0, 1.0) * length;
  extent = std::clamp(centre + half, 0.0, 1.0) * length - start;
}

Spot spot_at(const Grid& grid, int row, int column, int width, int height) {
  double weight = 0;
  double across = 0;
  double down = 0;
  for (int y = std::max(row - 1, 0); y <= std::min(row + 1, grid.rows - 1); ++y) {
    for (int x = std::max(column - 1, 0); x <= std::min(column + 1, grid.columns - 1); ++x) {
      const double score = sigmoid(grid.at(0, y, x));
      weight += score;
      across += score * (x + 0.5);
      down += score * (y + 0.5);
    }
  }
  Spot spot;
  spot.score = static_cast<float>(sigmoid(grid.at(0, row, column)));
  const double x = weight > 0 ? across / weight : column + 0.5;
  const double y = weight > 0 ? down / weight : row + 0.5;
  place(x / grid.columns, std::exp2(std::min(grid.at(1, row, column), 0.0f)), width, spot.x, spot.width);
  place(y / grid.rows, std::exp2(std::min(grid.at(2, row, column), 0.0f)), height, spot.y, spot.height);
  return spot;
}

// Whether two boxes are one spot: a third of what they cover together is common, or the middle of either lies in the
// other.
bool same_spot(const Spot& a, const Spot& b) {
  const auto holds_middle = [](const Spot& box, const Spot& other) {
    const double x = other.x + other.width / 2 - box.x;
    const double y = other.y + other.height / 2 - box.y;
    return x >= 0 && y >= 0 && x <= box.width && y <= box.height;
  };
  if (holds_middle(a, b) || holds_middle(b, a)) return true;
  const double across = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const double down = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  const double common = std::max(across, 0.0) * std::max(down, 0.0);
  return 3 * common >= a.width * a.height + b.width * b.height - common;
}

std::vector<Spot> spots_of(const Grid& grid, int width, int height, float least) {
  std::vector<Spot> found;
  for (int row = 0; row < grid.rows; ++row) {
    for (int column = 0; column < grid.columns; ++column) {
      if (!is_greatest_around(grid, row, column)) continue;
      const Spot spot = spot_at(grid, row, column, width, height);
      if (spot.score >= least) found.push_back(spot);
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const Spot& a, const Spot& b) { return a.score > b.score; });
  std::vector<Spot> kept;
  for (const Spot& spot : found) {
    if (kept.size() == kMaxSpots) break;
    const auto repeats = [&](const Spot& better) { return same_spot(better, spot); };
    if (std::none_of(kept.begin(), kept.end(), repeats)) kept.push_back(spot);
  }
  return kept;
}

// A square of whole pixels about the middle of the spot, moved inside the picture.
Rect frame_around(const Spot& spot, double side, int width, int height) {
  const int length = std::clamp(static_cast<int>(side + 0.5), 1, std::min(width, height));
  const auto start = [&](double middle, int limit) {
    return std::clamp(static_cast<int>(std::floor(middle - length / 2.0 + 0.5)), 0, limit - length);
  };
  return {start(spot.x + spot.width / 2, width), start(spot.y + spot.height / 2, height), length, length};
}

// Whether a second spot stands out by itself: one whose middle lies in the frame of the best is shown together with it.
bool is_rival(const Spot& spot, const Spot& best, const LocateSpec& spec) {
  const double x = spot.x + spot.width / 2 - best.frame.x;
  const double y = spot.y + spot.height / 2 - best.frame.y;
  const bool shown = x >= 0 && y >= 0 && x <= best.frame.width && y <= best.frame.height;
  return spot.score >= spec.rival_score && spot.score >= spec.rival_ratio * best.score && !shown;
}

// Whether the centred square of the shorter side, which is shown of a picture as it is, holds the spot's middle.
bool centre_holds(const Spot& spot, int width, int height) {
  const double half = std::min(width, height) / 2.0;
  return std::abs(spot.x + spot.width / 2 - width / 2.0) <= half &&
         std::abs(spot.y + spot.height / 2 - height / 2.0) <= half;
}

// How closely the one spot is looked at.
Framing framing_of(const Spot& spot, int width, int height, const LocateSpec& spec) {
  const double share = std::max(spot.width, spot.height) / std::min(width, height);
  if (spot.score < spec.frame_score) return Framing::kWhole;
  if (share < spec.alone_share || !centre_holds(spot, width, height)) return Framing::kSpot;
  return share < spec.both_share ? Framing::kBoth : Framing::kWhole;
}

}  // namespace

Expected<Located> locate(std::span<const float> output, int rows, int columns, int width, int height,
                         const LocateSpec& spec) {
  if (rows < 1 || columns < 1 || rows > kMaxLocatorGrid || columns > kMaxLocatorGrid || width < 1 || height < 1) {
    return fail(ErrorCode::kInvalidArgument, "the locator's grid or the picture's size makes no sense");
  }
  const Grid grid{output, rows, columns};
  if (output.size() != 3 * grid.cells())
    return fail(ErrorCode::kInvalidArgument, "the locator's output has the wrong length");
  if (!all_finite(output)) {
    return fail(ErrorCode::kInvalidArgument, "a value of the locator is not a finite number");
  }
  const auto is_share = [](double value) { return value >= 0 && value <= 1; };
  if (!is_share(spec.spot_score) || !is_share(spec.rival_score) || !is_share(spec.rival_ratio) ||
      !is_share(spec.frame_score) || !is_share(spec.alone_share) || !is_share(spec.both_share) ||
      !(spec.frame_scale >= 1 && spec.frame_scale <= kMaxFrameScale)) {
    return fail(ErrorCode::kInvalidArgument, "a limit of the locator makes no sense");
  }

  Located located;
  located.spots = spots_of(grid, width, height, spec.spot_score);
  for (Spot& spot : located.spots) {
    spot.frame = frame_around(spot, std::max(spot.width, spot.height) * spec.frame_scale, width, height);
  }
  located.frame = {0, 0, width, height};
  if (located.spots.empty()) return located;
  const Spot& best = located.spots.front();
  const auto rivals = [&](const Spot& spot) { return is_rival(spot, best, spec); };
  const bool rival = std::any_of(located.spots.begin() + 1, located.spots.end(), rivals);
  located.framing = rival ? Framing::kSeveral : framing_of(best, width, height, spec);
  if (located.framing != Framing::kWhole) located.frame = best.frame;
  return located;
}

}  // namespace dermlet
