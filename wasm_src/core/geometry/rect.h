// Parts of pictures.
#pragma once

namespace dermlet {

// Whole pixels; x to the right, y down.
struct Rect {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;

  bool operator==(const Rect&) const = default;
};

// With fractions of pixels.
struct Box {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

[[nodiscard]] inline Box to_box(const Rect& rect) {
  return {static_cast<double>(rect.x), static_cast<double>(rect.y), static_cast<double>(rect.width),
          static_cast<double>(rect.height)};
}

// True when the region is at least 1x1 and lies inside width x height.
[[nodiscard]] constexpr bool lies_inside(const Rect& region, int width, int height) {
  return region.x >= 0 && region.y >= 0 && region.width >= 1 && region.height >= 1 && region.width <= width &&
         region.height <= height && region.x <= width - region.width && region.y <= height - region.height;
}

}  // namespace dermlet
