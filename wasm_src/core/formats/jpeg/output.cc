#include "formats/jpeg/output.h"

#include <algorithm>
#include <cstring>

#include "vectors.h"

namespace dermlet::jpeg {
namespace {

const std::uint8_t* row_of(const Plane& plane, int y) {
  return plane.samples.data() + static_cast<std::size_t>(std::clamp(y, 0, plane.height - 1)) * plane.stride;
}

// jdsample.c, h2v1_fancy_upsample: 3/4 of the nearer sample, 1/4 of the further.
void double_width(const std::uint8_t* in, int count, std::uint8_t* out) {
  out[0] = in[0];
  out[1] = static_cast<std::uint8_t>((in[0] * 3 + in[1] + 2) >> 2);
  // A row has at most kMaxSide samples.
  // NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result)
  for (int i = 1; i < count - 1; ++i) {
    out[2 * i] = static_cast<std::uint8_t>((in[i] * 3 + in[i - 1] + 1) >> 2);
    out[2 * i + 1] = static_cast<std::uint8_t>((in[i] * 3 + in[i + 1] + 2) >> 2);
  }
  // NOLINTEND(bugprone-implicit-widening-of-multiplication-result)
  out[2 * count - 2] = static_cast<std::uint8_t>((in[count - 1] * 3 + in[count - 2] + 1) >> 2);
  out[2 * count - 1] = in[count - 1];
}

// h1v2_fancy_upsample: the bias alternates so that rounding favours neither side.
void between_rows(const std::uint8_t* near, const std::uint8_t* far, int count, int bias, std::uint8_t* out) {
  for (int i = 0; i < count; ++i) out[i] = static_cast<std::uint8_t>((near[i] * 3 + far[i] + bias) >> 2);
}

// h2v2_fancy_upsample: both at once, rounded once.
void double_both(const std::uint8_t* near, const std::uint8_t* far, int count, std::uint8_t* out) {
  const auto sum = [&](int i) { return near[i] * 3 + far[i]; };
  out[0] = static_cast<std::uint8_t>((sum(0) * 4 + 8) >> 4);
  out[1] = static_cast<std::uint8_t>((sum(0) * 3 + sum(1) + 7) >> 4);
  // A row has at most kMaxSide samples.
  // NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result)
  for (int i = 1; i < count - 1; ++i) {
    out[2 * i] = static_cast<std::uint8_t>((sum(i) * 3 + sum(i - 1) + 8) >> 4);
    out[2 * i + 1] = static_cast<std::uint8_t>((sum(i) * 3 + sum(i + 1) + 7) >> 4);
  }
  // NOLINTEND(bugprone-implicit-widening-of-multiplication-result)
  out[2 * count - 2] = static_cast<std::uint8_t>((sum(count - 1) * 3 + sum(count - 2) + 8) >> 4);
  out[2 * count - 1] = static_cast<std::uint8_t>((sum(count - 1) * 4 + 7) >> 4);
}

void repeat(const std::uint8_t* in, int count, int times, std::uint8_t* out) {
  for (int i = 0; i < count; ++i) {
    for (int t = 0; t < times; ++t) *out++ = in[i];
  }
}

// Row y of the output for one component; points into the plane when nothing has to be done, else into `scratch`.
const std::uint8_t* upsampled_row(const Plane& plane, int y, bool smooth, std::uint8_t* scratch) {
  const int source = y / plane.ratio_y;
  const bool doubles_x = plane.ratio_x == 2;
  const bool wide_enough = plane.width > 2;
  if (smooth && plane.ratio_y == 2 && (plane.ratio_x == 1 || (doubles_x && wide_enough))) {
    const bool upper = y % 2 == 0;
    const std::uint8_t* near = row_of(plane, source);
    const std::uint8_t* far = row_of(plane, upper ? source - 1 : source + 1);
    if (doubles_x) {
      double_both(near, far, plane.width, scratch);
    } else {
      between_rows(near, far, plane.width, upper ? 1 : 2, scratch);
    }
    return scratch;
  }
  const std::uint8_t* row = row_of(plane, source);
  if (plane.ratio_x == 1) return row;
  if (smooth && doubles_x && plane.ratio_y == 1 && wide_enough) {
    double_width(row, plane.width, scratch);
  } else {
    repeat(row, plane.width, plane.ratio_x, scratch);
  }
  return scratch;
}

std::uint8_t to_byte(std::int32_t v) { return static_cast<std::uint8_t>(std::clamp(v, 0, 255)); }

// jdcolor.c: 16-bit fixed point, rounded half up. Of one pixel or of several in a vector, levels not clamped yet.
template <typename T>
struct Rgb {
  T red, green, blue;
};

template <typename T>
Rgb<T> from_ycc(T y, T blue, T red) {
  constexpr std::int32_t kHalf = 1 << 15;
  const T cb = blue - 128;
  const T cr = red - 128;
  return {y + ((cr * 91881 + kHalf) >> 16), y + ((cb * -22554 - cr * 46802 + kHalf) >> 16),
          y + ((cb * 116130 + kHalf) >> 16)};
}

void ycc_row(const std::uint8_t* luma, const std::uint8_t* blue, const std::uint8_t* red, int width,
             std::uint8_t* out) {
  int x = 0;
#ifndef DERMLET_SCALAR
  // A pixel is stored as four bytes, of which the next one overwrites the last: none may follow the row, so that its
  // last pixels are stored byte by byte.
  for (; x + 4 < width; x += 4) {
    const auto [r, g, b] = from_ycc(four_bytes(luma + x), four_bytes(blue + x), four_bytes(red + x));
    const Four packed = clamped(r) | clamped(g) << 8 | clamped(b) << 16;
    for (int i = 0; i < 4; ++i, out += 3) {
      const std::int32_t pixel = packed[i];
      std::memcpy(out, &pixel, sizeof pixel);
    }
  }
#endif
  for (; x < width; ++x, out += 3) {
    const auto [r, g, b] = from_ycc<std::int32_t>(luma[x], blue[x], red[x]);
    out[0] = to_byte(r);
    out[1] = to_byte(g);
    out[2] = to_byte(b);
  }
}

// Adobe stores ink inverted: 255 is none. Pillow's cmyk2rgb: the black's complement, less the ink's share of it.
void apply_black(const std::uint8_t* black, int width, std::uint8_t* out) {
  for (int x = 0; x < width; ++x) {
    for (int c = 0; c < 3; ++c, ++out) {
      const unsigned product = (255u - *out) * black[x] + 128;
      *out = to_byte(static_cast<int>(black[x]) - static_cast<int>(((product >> 8) + product) >> 8));
    }
  }
}

void interleave_row(const std::uint8_t* const* rows, int width, std::uint8_t* out) {
  for (int x = 0; x < width; ++x) {
    for (int c = 0; c < 3; ++c) *out++ = rows[c][x];
  }
}

void convert_row(const std::uint8_t* const* rows, Colour colour, int width, std::uint8_t* out) {
  switch (colour) {
    case Colour::kGrey:
      repeat(rows[0], width, 3, out);
      return;
    case Colour::kYcc:
      ycc_row(rows[0], rows[1], rows[2], width, out);
      return;
    case Colour::kRgb:
      interleave_row(rows, width, out);
      return;
    case Colour::kCmyk:
      interleave_row(rows, width, out);
      apply_black(rows[3], width, out);
      return;
    case Colour::kYcck:
      // The colours of YCCK are the complement of the stored, inverted inks.
      ycc_row(rows[0], rows[1], rows[2], width, out);
      for (int i = 0; i < 3 * width; ++i) out[i] = static_cast<std::uint8_t>(255 - out[i]);
      apply_black(rows[3], width, out);
      return;
  }
}

// What Adobe stores inverted, the right way round. `scratch` holds the colours of a row.
void ink_row(const std::uint8_t* const* rows, Colour colour, int width, std::uint8_t* scratch, std::uint8_t* out) {
  const bool luma = colour == Colour::kYcck;
  if (luma) {
    ycc_row(rows[0], rows[1], rows[2], width, scratch);
  } else {
    interleave_row(rows, width, scratch);
  }
  for (int x = 0; x < width; ++x) {
    for (int c = 0; c < 3; ++c, ++scratch) *out++ = static_cast<std::uint8_t>(luma ? *scratch : 255 - *scratch);
    *out++ = static_cast<std::uint8_t>(255 - rows[3][x]);
  }
}

}  // namespace

Expected<Image> to_image(std::span<const Plane* const> planes, Colour colour, bool inks, int width, int height,
                         bool smooth) {
  inks = inks && planes.size() == 4;
  DERMLET_TRY(image, Image::allocate(width, height, inks ? 4 : 3));
  // An upsampled row may be longer than the picture's: by less than one ratio, 4 at most.
  const std::size_t room = static_cast<std::size_t>(width) + 8;
  DERMLET_TRY(scratch, Buffer<std::uint8_t>::allocate(room, 7));
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* rows[4] = {};
    for (std::size_t c = 0; c < planes.size(); ++c)
      rows[c] = upsampled_row(*planes[c], y, smooth, scratch.data() + room * c);
    if (inks) {
      ink_row(rows, colour, width, scratch.data() + room * 4, image.row(y));
    } else {
      convert_row(rows, colour, width, image.row(y));
    }
  }
  return image;
}

}  // namespace dermlet::jpeg
