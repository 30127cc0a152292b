#include "geometry/orientation.h"

#include <algorithm>

namespace dermlet {
namespace {

// Where a pixel of the upright picture lies in the stored one: start + x * step_x + y * step_y, in pixels.
struct Walk {
  std::ptrdiff_t start;
  std::ptrdiff_t step_x;
  std::ptrdiff_t step_y;
};

Walk walk_of(int orientation, std::ptrdiff_t width, std::ptrdiff_t height) {
  const std::ptrdiff_t last_x = width - 1;
  const std::ptrdiff_t last_row = (height - 1) * width;
  switch (orientation) {
    case 2:
      return {last_x, -1, width};
    case 3:
      return {last_row + last_x, -1, -width};
    case 4:
      return {last_row, 1, -width};
    case 5:
      return {0, width, 1};
    case 6:
      return {last_row, -width, 1};
    case 7:
      return {last_row + last_x, -width, -1};
    case 8:
      return {last_x, width, -1};
    default:
      return {0, 1, width};
  }
}

}  // namespace

Box upright_box(const Box& b, double width, double height, int orientation) {
  const double from_right = width - b.x - b.width;
  const double from_bottom = height - b.y - b.height;
  switch (orientation) {
    case 2:
      return {from_right, b.y, b.width, b.height};
    case 3:
      return {from_right, from_bottom, b.width, b.height};
    case 4:
      return {b.x, from_bottom, b.width, b.height};
    case 5:
      return {b.y, b.x, b.height, b.width};
    case 6:
      return {from_bottom, b.x, b.height, b.width};
    case 7:
      return {from_bottom, from_right, b.height, b.width};
    case 8:
      return {b.y, from_right, b.height, b.width};
    default:
      return b;
  }
}

Rect stored_rect(const Rect& upright, int width, int height, int orientation) {
  // Turning by 90 degrees is undone by turning by 270; all others undo themselves. Whole pixels stay whole in double.
  const int undone = orientation == 6 ? 8 : orientation == 8 ? 6 : orientation;
  const Box box = upright_box(to_box(upright), width, height, undone);
  return {static_cast<int>(box.x), static_cast<int>(box.y), static_cast<int>(box.width), static_cast<int>(box.height)};
}

Expected<Image> turn_upright(Image stored, int orientation) {
  if (orientation < 2 || orientation > 8) return stored;
  const bool swapped = swaps_sides(orientation);
  DERMLET_TRY(upright, Image::allocate(swapped ? stored.height : stored.width, swapped ? stored.width : stored.height,
                                       stored.channels));
  const Walk walk = walk_of(orientation, stored.width, stored.height);
  const std::ptrdiff_t channels = stored.channels;
  const std::uint8_t* from = stored.pixels.data();
  // Tiles keep both sides in cache when rows become columns.
  constexpr int kTile = 32;
  for (int top = 0; top < upright.height; top += kTile) {
    for (int left = 0; left < upright.width; left += kTile) {
      const int bottom = std::min(top + kTile, upright.height);
      const int right = std::min(left + kTile, upright.width);
      for (int y = top; y < bottom; ++y) {
        std::uint8_t* to = upright.row(y) + left * channels;
        for (int x = left; x < right; ++x) {
          const std::uint8_t* pixel = from + (walk.start + x * walk.step_x + y * walk.step_y) * channels;
          for (std::ptrdiff_t c = 0; c < channels; ++c) *to++ = pixel[c];
        }
      }
    }
  }
  return upright;
}

}  // namespace dermlet
