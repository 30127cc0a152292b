#include "formats/sniff.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace dermlet {
namespace {

using namespace std::string_view_literals;

struct Signature {
  std::size_t at;
  std::string_view magic;
  std::string_view name;
};

// Ordered: the first that fits names the file.
constexpr std::array kOthers = {
    Signature{0, "GIF8"sv, "a GIF"},
    Signature{0, "II*\0"sv, "a TIFF or camera raw file"},
    Signature{0, "MM\0*"sv, "a TIFF or camera raw file"},
    Signature{0, "%PDF"sv, "a PDF document"},
    Signature{0, "8BPS"sv, "a Photoshop file"},
    Signature{0, "\0\0\1\0"sv, "an icon file"},
    Signature{0, "\xFF\x0A"sv, "a JPEG XL picture"},
    Signature{0, "\0\0\0\x0CJXL "sv, "a JPEG XL picture"},
    Signature{0, "\0\0\0\x0CjP  "sv, "a JPEG 2000 picture"},
    Signature{128, "DICM"sv, "a DICOM file"},
    Signature{0, "PK\3\4"sv, "a ZIP archive or office document"},
    Signature{0, "RIFF"sv, "an audio or video file"},
    Signature{0, "\x1A\x45\xDF\xA3"sv, "a video (Matroska or WebM)"},
    Signature{0, "ID3"sv, "an audio file"},
    Signature{0, "\x1F\x8B"sv, "a compressed (gzip) file"},
};

struct Brand {
  std::string_view brand;
  Format format;
};

// ISO base media files: bytes 4-7 are "ftyp", the brand follows, then those that the file is compatible with.
constexpr std::array kBrands = {
    Brand{"avif", Format::kAvif}, Brand{"avis", Format::kAvif}, Brand{"heic", Format::kHeic},
    Brand{"heix", Format::kHeic}, Brand{"heim", Format::kHeic}, Brand{"heis", Format::kHeic},
    Brand{"hevc", Format::kHeic}, Brand{"hevx", Format::kHeic},
};

// "mif1" and "msf1" mark a HEIF file without naming its coding, which is among the compatible brands.
std::optional<Format> heif_format(Bytes bytes) {
  const std::size_t end = std::min<std::size_t>(read_u32(bytes, 0, ByteOrder::kBig).value_or(0), 256);
  const bool container = starts_with(bytes, "mif1"sv, 8) || starts_with(bytes, "msf1"sv, 8);
  for (std::size_t at = 8; at == 8 || (container && at < end); at += 4) {
    for (const Brand& brand : kBrands) {
      if (starts_with(bytes, brand.brand, at)) return brand.format;
    }
  }
  return {};
}

bool is_text(Bytes bytes) {
  const Bytes head = slice(bytes, 0, 512);
  return std::all_of(head.begin(), head.end(),
                     [](std::uint8_t c) { return c >= 0x20 || c == '\t' || c == '\n' || c == '\r' || c == '\f'; });
}

std::string_view text_kind(Bytes bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.find("<svg") != std::string_view::npos) return "an SVG drawing";
  if (text.find("<!DOCTYPE html") != std::string_view::npos || text.find("<!doctype html") != std::string_view::npos ||
      text.find("<html") != std::string_view::npos)
    return "a web page";
  return "a text file";
}

std::string_view other_name(Bytes bytes) {
  if (starts_with(bytes, "ftyp", 4)) {
    if (starts_with(bytes, "mif1"sv, 8) || starts_with(bytes, "msf1"sv, 8)) return "a HEIF picture";
    return starts_with(bytes, "crx "sv, 8) ? "a camera raw file"sv : "a video"sv;
  }
  for (const Signature& other : kOthers) {
    if (starts_with(bytes, other.magic, other.at)) return other.name;
  }
  return is_text(bytes) ? text_kind(bytes) : "no known picture format"sv;
}

}  // namespace

Expected<Format> sniff(Bytes bytes) {
  if (bytes.empty()) return fail(ErrorCode::kCorruptImage, "the file is empty");
  bytes = slice(bytes, 0, kSniffedBytes);
  if (starts_with(bytes, "\xFF\xD8\xFF"sv)) return Format::kJpeg;
  if (starts_with(bytes, "\x89PNG\r\n\x1A\n"sv)) return Format::kPng;
  // "BM" may begin any text: the information header must have a size that exists.
  if (starts_with(bytes, "BM"sv)) {
    const auto header = read_u32(bytes, 14, ByteOrder::kLittle);
    if (header && (*header == 12 || (*header >= 16 && *header <= 124))) return Format::kBmp;
  }
  if (starts_with(bytes, "RIFF"sv) && starts_with(bytes, "WEBP"sv, 8)) return Format::kWebp;
  if (starts_with(bytes, "ftyp"sv, 4)) {
    if (const auto format = heif_format(bytes)) return *format;
  }
  return fail(ErrorCode::kUnsupportedFormat,
              "the file is " + std::string(other_name(bytes)) + "; " + std::string(kReadableFormats) + " can be read");
}

}  // namespace dermlet
