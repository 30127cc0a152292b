#include "decode.h"

#include <string>

#include "header.h"
#include "jpeg.h"
#include "stb.h"

namespace dermlet {
namespace {

// Laid over white with the arithmetic of Pillow's AlphaComposite.c, whose 7 extra bits round exactly as it does.
std::uint8_t over_white(unsigned value, unsigned alpha) {
  const unsigned sum = (value * alpha + 255u * (255u - alpha)) * 128u + (0x80u << 7);
  return static_cast<std::uint8_t>((((sum >> 8) + sum) >> 8) >> 7);
}

Result<Image> to_rgb(Image image) {
  if (image.channels == 3) return image;
  auto rgb = Image::allocate(image.width, image.height, 3);
  if (!rgb) return rgb;
  const std::size_t count = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  const std::uint8_t* from = image.pixels.data();
  std::uint8_t* to = rgb->pixels.data();
  const bool grey = image.channels <= 2;
  const bool transparent = image.channels == 2 || image.channels == 4;
  for (std::size_t i = 0; i < count; ++i, from += image.channels, to += 3) {
    const unsigned alpha = transparent ? from[image.channels - 1] : 255u;
    for (int c = 0; c < 3; ++c) {
      const unsigned value = from[grey ? 0 : c];
      to[c] = alpha == 255u ? static_cast<std::uint8_t>(value) : over_white(value, alpha);
    }
  }
  return rgb;
}

// The most that stb_image can need for a picture of this size: 16-bit RGBA inflated, unfiltered, de-interlaced and narrowed, and the file's own compressed
// data gathered with doubling. Anything beyond does not fit the header.
std::size_t budget_of(const Header& header, std::size_t file_bytes) {
  const std::size_t pixels = (static_cast<std::size_t>(header.width) + 16) * (static_cast<std::size_t>(header.height) + 16);
  constexpr std::size_t kPerPixel = 40;
  const std::size_t fixed = 4 * file_bytes + (std::size_t{4} << 20);
  return pixels > (SIZE_MAX - fixed) / kPerPixel ? SIZE_MAX : pixels * kPerPixel + fixed;
}

Result<Image> decode_with_stb(Bytes bytes, const Header& header) {
  const StbPicture decoded = stb_decode(bytes, budget_of(header, bytes.size()));
  if (decoded.pixels == nullptr) {
    if (decoded.refused) return fail(ErrorCode::kImageTooLarge, "not enough memory for the picture, or its data does not fit its stated size");
    return fail(ErrorCode::kCorruptImage, std::string("the picture's data is broken (") + decoded.problem + ")");
  }
  const std::size_t size = static_cast<std::size_t>(decoded.width) * static_cast<std::size_t>(decoded.height) * static_cast<std::size_t>(decoded.channels);
  Image image{decoded.width, decoded.height, decoded.channels, Buffer<std::uint8_t>::adopt(decoded.pixels, size)};
  if (image.width != header.width || image.height != header.height) return fail(ErrorCode::kCorruptImage, "the picture's data does not fit its header");
  return to_rgb(std::move(image));
}

}  // namespace

Result<void> check_size(std::uint64_t width, std::uint64_t height) {
  if (width > kMaxSide || height > kMaxSide || width * height > kMaxPixels) {
    return fail(ErrorCode::kImageTooLarge, "the picture is " + std::to_string(width) + " x " + std::to_string(height) + " pixels; at most " +
                                               std::to_string(kMaxPixels / 1'000'000) + " million can be read");
  }
  return {};
}

Result<Header> read_header(Bytes bytes) {
  if (bytes.size() > kMaxFileBytes) {
    return fail(ErrorCode::kImageTooLarge, "the file has " + std::to_string(bytes.size() >> 20) + " MiB; at most " + std::to_string(kMaxFileBytes >> 20) + " can be read");
  }
  const auto format = sniff(bytes);
  if (!format) return tl::unexpected(format.error());
  switch (*format) {
    case Format::kJpeg: return read_jpeg_header(bytes);
    case Format::kPng: return read_png_header(bytes);
    case Format::kBmp: return read_bmp_header(bytes);
  }
  return fail(ErrorCode::kUnsupportedFormat, "no known picture format");
}

Result<Reduced> decode(Bytes bytes, const Header& header, const Rect& part, int reduction) {
  if (header.format == Format::kJpeg) return decode_jpeg(bytes, part, reduction);
  auto image = decode_with_stb(bytes, header);
  if (!image) return tl::unexpected(image.error());
  return Reduced{std::move(*image)};
}

}  // namespace dermlet
