#include <algorithm>
#include <array>
#include <bit>

#include "formats/bmp/bmp.h"
#include "formats/bmp/layout.h"

namespace dermlet {
namespace {

using bmp::Coding;
using bmp::Layout;

using Palette = std::array<std::array<std::uint8_t, 3>, 256>;

// Colours that the file's palette lacks stay black.
Palette read_palette(Bytes file, const Layout& layout) {
  Palette palette{};
  for (std::size_t i = 0; i < layout.colours; ++i) {
    const Bytes entry = file.subspan(14 + layout.header_bytes + i * layout.colour_bytes, 3);
    palette[i] = {entry[2], entry[1], entry[0]};
  }
  return palette;
}

// The row of the file that is row y of the picture, counted from the top.
Bytes plain_row(Bytes file, const Layout& layout, int y) {
  const int stored = layout.top_down ? y : layout.height - 1 - y;
  return slice(file, layout.data_at + layout.row_bytes * static_cast<std::size_t>(stored), layout.row_bytes);
}

void read_indices(Bytes file, const Layout& layout, const Rect& part, const Palette& palette, Image& image) {
  const auto bits = static_cast<std::size_t>(layout.bits);
  for (int y = 0; y < part.height; ++y) {
    const Bytes row = plain_row(file, layout, part.y + y);
    std::uint8_t* to = image.row(y);
    for (std::size_t bit = static_cast<std::size_t>(part.x) * bits,
                     end = bit + static_cast<std::size_t>(part.width) * bits;
         bit < end; bit += bits) {
      const std::size_t index = row[bit / 8] >> (8 - bits - bit % 8) & ((1u << bits) - 1);
      to = std::copy(palette[index].begin(), palette[index].end(), to);
    }
  }
}

// Hands over each pixel that the run lengths name: column, stored row, colour. False when they make no sense or end
// before the picture does.
template <typename Put>
bool read_runs(Bytes data, const Layout& layout, const Put& put) {
  const bool halves = layout.coding == Coding::kRunLengths4;
  const auto shortened = [&](int i, unsigned byte) { return !halves ? byte : i % 2 == 0 ? byte >> 4 : byte & 15; };
  int x = 0;
  int y = 0;
  for (std::size_t at = 0; y < layout.height;) {
    if (data.size() - at < 2) return y == layout.height - 1 && x == layout.width;
    const int count = data[at];
    const int code = data[at + 1];
    at += 2;
    if (count > 0) {
      const int end = std::min(x + count, layout.width);
      for (int i = 0; x < end; ++i, ++x) put(x, y, shortened(i, static_cast<unsigned>(code)));
    } else if (code == 0) {
      x = 0;
      ++y;
    } else if (code == 1) {
      return true;
    } else if (code == 2) {
      if (data.size() - at < 2) return false;
      x += data[at];
      y += data[at + 1];
      at += 2;
      if (x > layout.width) return false;
    } else {
      const auto length = static_cast<std::size_t>(halves ? (code + 1) / 2 : code);
      if (code > layout.width - x || length > data.size() - at) return false;
      for (int i = 0; i < code; ++i, ++x)
        put(x, y, shortened(i, data[at + static_cast<std::size_t>(halves ? i / 2 : i)]));
      at = std::min(at + (length + 1) / 2 * 2, data.size());  // of whole 16-bit words
    }
  }
  return true;
}

Expected<Image> read_indexed(Bytes file, const Layout& layout, const Rect& part) {
  const Palette palette = read_palette(file, layout);
  DERMLET_TRY(image, Image::allocate(part.width, part.height, 3));
  if (layout.coding == Coding::kPlain) {
    read_indices(file, layout, part, palette, image);
    return image;
  }
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels.data()[i] = palette[0][i % 3];
  const bool whole = read_runs(file.subspan(layout.data_at), layout, [&](int x, int stored, unsigned index) {
    const int y = (layout.top_down ? stored : layout.height - 1 - stored) - part.y;
    x -= part.x;
    if (x < 0 || x >= part.width || y < 0 || y >= part.height) return;
    std::copy(palette[index].begin(), palette[index].end(), image.row(y) + std::ptrdiff_t{3} * x);
  });
  if (!whole) return fail(ErrorCode::kCorruptImage, "the BMP's run lengths make no sense or end early");
  return image;
}

// One channel's 8 bits of a pixel: scaled up from fewer as in Pillow, the highest of more.
class Channel {
 public:
  explicit Channel(std::uint32_t mask) : mask_(mask) {
    if (mask == 0) return;
    const int bits = std::popcount(mask);
    shift_ = std::countr_zero(mask) + std::max(bits - 8, 0);
    const unsigned most = (1u << std::min(bits, 8)) - 1;
    for (unsigned value = 0; value <= most; ++value) levels_[value] = static_cast<std::uint8_t>(value * 255 / most);
  }

  [[nodiscard]] std::uint8_t of(std::uint32_t pixel) const { return levels_[(pixel & mask_) >> shift_]; }

 private:
  std::uint32_t mask_;
  int shift_ = 0;
  std::array<std::uint8_t, 256> levels_{};
};

std::uint32_t pixel_at(Bytes row, std::size_t at, std::size_t bytes) {
  std::uint32_t pixel = 0;
  for (std::size_t i = 0; i < bytes; ++i) pixel |= std::uint32_t{row[at + i]} << 8 * i;
  return pixel;
}

// Alpha that is 0 throughout is left over from a writer that knew of none.
bool has_alpha(Bytes file, const Layout& layout) {
  const std::size_t bytes = static_cast<std::size_t>(layout.bits) / 8;
  for (int y = 0; layout.masks[3] != 0 && y < layout.height; ++y) {
    const Bytes row = plain_row(file, layout, y);
    for (std::size_t at = 0; at < static_cast<std::size_t>(layout.width) * bytes; at += bytes) {
      if ((pixel_at(row, at, bytes) & layout.masks[3]) != 0) return true;
    }
  }
  return false;
}

Expected<Image> read_channels(Bytes file, const Layout& layout, const Rect& part) {
  const auto& masks = layout.masks;
  const std::array<Channel, 4> channels = {Channel(masks[0]), Channel(masks[1]), Channel(masks[2]), Channel(masks[3])};
  const std::size_t bytes = static_cast<std::size_t>(layout.bits) / 8;
  DERMLET_TRY(image, Image::allocate(part.width, part.height, has_alpha(file, layout) ? 4 : 3));
  const auto count = static_cast<std::size_t>(image.channels);
  for (int y = 0; y < part.height; ++y) {
    const Bytes row = plain_row(file, layout, part.y + y);
    std::uint8_t* to = image.row(y);
    for (int x = 0; x < part.width; ++x) {
      const std::uint32_t pixel = pixel_at(row, static_cast<std::size_t>(part.x + x) * bytes, bytes);
      for (std::size_t c = 0; c < count; ++c) *to++ = channels[c].of(pixel);
    }
  }
  return image;
}

}  // namespace

Expected<Image> decode_bmp(Bytes bytes, const Rect& part) {
  DERMLET_TRY(layout, bmp::read_layout(bytes));
  return layout.bits <= 8 ? read_indexed(bytes, layout, part) : read_channels(bytes, layout, part);
}

}  // namespace dermlet
