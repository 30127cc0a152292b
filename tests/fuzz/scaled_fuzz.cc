// Any bytes as a JPEG, decoded in full and reduced by 2, 4 and 8. What is readable in full is readable reduced (which
// looks at less), in the size that follows; and of a grey picture each reduced block must be the full one without its
// high frequencies: the DCT of the block's 64 samples, its low coefficients transformed back on fewer points.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "formats/header.h"
#include "formats/jpeg/jpeg.h"

using namespace dermlet;

namespace {

constexpr int kSide = 8;
// Levels: both transforms round their samples, and the full one's roundings add up in a low coefficient.
constexpr double kTolerance = 3;

using Block = std::array<double, kSide * kSide>;

double basis(int points, int frequency, int sample) {
  const double scale = frequency == 0 ? std::sqrt(1.0 / points) : std::sqrt(2.0 / points);
  return scale * std::cos((2 * sample + 1) * frequency * 3.14159265358979323846 / (2 * points));
}

// Grey samples of one block; false where one may have been clamped, which no linear relation survives.
bool take_block(const Image& image, int left, int top, Block& block) {
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const std::uint8_t sample = image.row(top + y)[3 * (left + x)];
      if (sample == 0 || sample == 255) return false;
      block[static_cast<std::size_t>(y * kSide + x)] = sample;
    }
  }
  return true;
}

// The block on points x points samples, by its low frequencies alone.
Block reduced_block(const Block& full, int points) {
  Block low{};
  for (int v = 0; v < points; ++v) {
    for (int u = 0; u < points; ++u) {
      double sum = 0;
      for (int y = 0; y < kSide; ++y) {
        for (int x = 0; x < kSide; ++x)
          sum += full[static_cast<std::size_t>(y * kSide + x)] * basis(kSide, v, y) * basis(kSide, u, x);
      }
      low[static_cast<std::size_t>(v * kSide + u)] = sum * points / kSide;
    }
  }
  Block samples{};
  for (int y = 0; y < points; ++y) {
    for (int x = 0; x < points; ++x) {
      double sum = 0;
      for (int v = 0; v < points; ++v) {
        for (int u = 0; u < points; ++u)
          sum += low[static_cast<std::size_t>(v * kSide + u)] * basis(points, v, y) * basis(points, u, x);
      }
      samples[static_cast<std::size_t>(y * kSide + x)] = sum;
    }
  }
  return samples;
}

void compare_blocks(const Image& full, const Image& reduced, int reduction) {
  const int points = kSide / reduction;
  // Some blocks of a picture are enough: the fuzzer brings many pictures.
  for (int by = 0, seen = 0; (by + 1) * kSide <= full.height && seen < 8; ++by) {
    for (int bx = by % 3; (bx + 1) * kSide <= full.width && seen < 8; bx += 3) {
      Block block;
      if (!take_block(full, bx * kSide, by * kSide, block)) continue;
      ++seen;
      const Block wanted = reduced_block(block, points);
      for (int y = 0; y < points; ++y) {
        for (int x = 0; x < points; ++x) {
          const double sample = reduced.row(by * points + y)[3 * (bx * points + x)];
          if (std::abs(sample - std::clamp(wanted[static_cast<std::size_t>(y * kSide + x)], 0.0, 255.0)) > kTolerance)
            std::abort();
        }
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4 || data[0] != 0xFF || data[1] != 0xD8) return 0;
  const Bytes bytes(data, size);
  const auto header = read_jpeg_header(bytes);
  if (!header || static_cast<std::int64_t>(header->width) * header->height > 30'000) return 0;
  const Rect whole = {0, 0, header->width, header->height};
  const auto full = decode_jpeg(bytes, whole, 1);
  for (const int reduction : {2, 4, 8}) {
    const auto reduced = decode_jpeg(bytes, whole, reduction);
    if (full && !reduced) std::abort();
    if (!reduced) continue;
    const auto side = [&](int length) { return (length + reduction - 1) / reduction; };
    if (reduced->x != 0 || reduced->y != 0 || reduced->image.width != side(header->width) ||
        reduced->image.height != side(header->height))
      std::abort();
    if (full && header->channels == 1) compare_blocks(full->image, reduced->image, reduction);
  }
  return 0;
}
