#include "formats/decode.h"

#include <cstring>

#include "colour/icc.h"
#include "formats/bmp/bmp.h"
#include "formats/jpeg/jpeg.h"
#include "formats/png/png.h"
#include "formats/stb.h"

namespace dermlet {
namespace {

// Laid over white with the arithmetic of Pillow's AlphaComposite.c, whose 7 extra bits round exactly as it does.
std::uint8_t over_white(unsigned value, unsigned alpha) {
  const unsigned sum = (value * alpha + 255u * (255u - alpha)) * 128u + (0x80u << 7);
  return static_cast<std::uint8_t>((((sum >> 8) + sum) >> 8) >> 7);
}

// One row of 1-4 channels as RGB, transparency not yet applied.
void copy_colours(const std::uint8_t* from, int channels, int count, std::uint8_t* to) {
  if (channels == 3) {
    std::memcpy(to, from, static_cast<std::size_t>(count) * 3);
    return;
  }
  const bool grey = channels <= 2;
  for (int x = 0; x < count; ++x, from += channels, to += 3) {
    for (int c = 0; c < 3; ++c) to[c] = from[grey ? 0 : c];
  }
}

void lay_over_white(const std::uint8_t* from, int channels, int count, std::uint8_t* rgb) {
  if (channels % 2 != 0) return;
  for (int x = 0; x < count; ++x, from += channels, rgb += 3) {
    const unsigned alpha = from[channels - 1];
    if (alpha == 255u) continue;
    for (int c = 0; c < 3; ++c) rgb[c] = over_white(rgb[c], alpha);
  }
}

// A part of a picture of 1-4 channels as RGB on white.
Expected<Image> copied_part(const Image& image, const Rect& part, const Converter* converter) {
  DERMLET_TRY(rgb, Image::allocate(part.width, part.height, 3));
  for (int y = 0; y < part.height; ++y) {
    const std::uint8_t* from =
        image.row(part.y + y) + static_cast<std::size_t>(part.x) * static_cast<std::size_t>(image.channels);
    copy_colours(from, image.channels, part.width, rgb.row(y));
    if (converter != nullptr) converter->apply({rgb.row(y), rgb.stride()});
    lay_over_white(from, image.channels, part.width, rgb.row(y));
  }
  return rgb;
}

// The same, in place where nothing has to be copied.
Expected<Image> to_rgb(Image image, const Rect& part, const Converter* converter) {
  if (image.channels == 3 && part.width == image.width && part.height == image.height) {
    if (converter != nullptr) converter->apply(image.pixels.span());
    return image;
  }
  return copied_part(image, part, converter);
}

// The most that stb_image can need for a picture of this size: 16-bit RGBA inflated, unfiltered, de-interlaced and
// narrowed, and the file's own compressed data gathered with doubling. Anything beyond does not fit the header.
std::size_t budget_of(const Header& header, std::size_t file_bytes) {
  const std::size_t pixels =
      (static_cast<std::size_t>(header.width) + 16) * (static_cast<std::size_t>(header.height) + 16);
  constexpr std::size_t kPerPixel = 40;
  const std::size_t fixed = 4 * file_bytes + (std::size_t{4} << 20);
  return pixels > (SIZE_MAX - fixed) / kPerPixel ? SIZE_MAX : pixels * kPerPixel + fixed;
}

Expected<Image> decode_with_stb(Bytes bytes, const Header& header) {
  DERMLET_TRY(rewritten, complete_png_palette(bytes));
  const Bytes file = rewritten.empty() ? bytes : Bytes(rewritten.span());
  const StbPicture decoded = stb_decode(file, budget_of(header, file.size()));
  if (decoded.pixels == nullptr) {
    if (decoded.refused)
      return fail(ErrorCode::kImageTooLarge,
                  "not enough memory for the picture, or its data does not fit its stated size");
    return fail(ErrorCode::kCorruptImage, "the picture's data is broken");
  }
  const std::size_t size = static_cast<std::size_t>(decoded.width) * static_cast<std::size_t>(decoded.height) *
                           static_cast<std::size_t>(decoded.channels);
  Image image{decoded.width, decoded.height, decoded.channels, Buffer<std::uint8_t>::adopt(decoded.pixels, size)};
  if (image.width != header.width || image.height != header.height)
    return fail(ErrorCode::kCorruptImage, "the picture's data does not fit its header");
  return image;
}

tl::unexpected<Error> part_outside() { return fail(ErrorCode::kInvalidArgument, "the part lies outside the picture"); }

}  // namespace

Expected<void> check_checksums(Bytes bytes, const Header& header) {
  if (header.format == Format::kPng) return check_png_checksums(bytes);
  return {};
}

Expected<Reduced> decode(Bytes bytes, const Header& header, const Rect& part, int reduction,
                         const Converter* converter) {
  if (header.format == Format::kJpeg) {
    const bool inks = converter != nullptr && converter->takes_inks();
    DERMLET_TRY(picture, decode_jpeg(bytes, part, reduction, inks));
    if (inks) {
      DERMLET_TRY(rgb, Image::allocate(picture.image.width, picture.image.height, 3));
      converter->apply_inks(picture.image.pixels.span(), rgb.pixels.span());
      picture.image = std::move(rgb);
    } else if (converter != nullptr) {
      converter->apply(picture.image.pixels.span());
    }
    return picture;
  }
  if (is_foreign(header.format))
    return fail(ErrorCode::kUnsupportedFormat, "the pixels of such a file are decoded elsewhere");
  if (!lies_inside(part, header.width, header.height)) return part_outside();
  if (header.format == Format::kBmp) {
    DERMLET_TRY(cut, decode_bmp(bytes, part));
    const Rect all = {0, 0, part.width, part.height};
    DERMLET_TRY(image, to_rgb(std::move(cut), all, converter));
    return Reduced{std::move(image), 1, part.x, part.y};
  }
  DERMLET_TRY(stored, decode_with_stb(bytes, header));
  DERMLET_TRY(image, to_rgb(std::move(stored), part, converter));
  return Reduced{std::move(image), 1, part.x, part.y};
}

Expected<Reduced> take_pixels(const Image& pixels, const Rect& part, const Converter* converter) {
  if (!lies_inside(part, pixels.width, pixels.height)) return part_outside();
  DERMLET_TRY(image, copied_part(pixels, part, converter));
  return Reduced{std::move(image), 1, part.x, part.y};
}

}  // namespace dermlet
