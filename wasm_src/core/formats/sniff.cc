#include "formats/sniff.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "formats/foreign/boxes.h"

namespace dermlet {
namespace {

using namespace std::string_view_literals;

// What to do with a file of a kind.
constexpr std::string_view kSave = "save it as JPEG or PNG";
constexpr std::string_view kFromViewer = "export the picture from its viewer as JPEG or PNG";
constexpr std::string_view kDevelop = "export it from the camera or a photo program as JPEG";
constexpr std::string_view kPause = "pause it where the spot is sharp and save that picture as JPEG or PNG";
constexpr std::string_view kTakeOut = "save the picture in it as JPEG or PNG";
constexpr std::string_view kUnpack = "unpack it and choose the pictures in it";
constexpr std::string_view kChoose = "choose a picture";

struct Kind {
  std::string_view name;
  std::string_view advice;
};

struct Signature {
  std::size_t at;
  std::string_view magic;
  Kind kind;
};

constexpr Kind kDicom = {"a DICOM file", kFromViewer};
constexpr Kind kTiff = {"a TIFF or camera raw file", kSave};
constexpr Kind kRaw = {"a camera raw file", kDevelop};
constexpr Kind kJpegXl = {"a JPEG XL picture", kSave};
constexpr Kind kJpeg2000 = {"a JPEG 2000 picture", kSave};
constexpr Kind kVideo = {"a video", kPause};
constexpr Kind kAudio = {"an audio file", kChoose};

// Ordered: the first that fits names the file. DICOM's begin with 128 bytes of anything, even those of a TIFF; those
// without them begin with an element of group 2 or 8.
constexpr std::array kOthers = {
    Signature{128, "DICM"sv, kDicom},
    Signature{0, "\2\0\0\0UL\4\0"sv, kDicom},
    Signature{0, "\2\0\2\0UI"sv, kDicom},
    Signature{0, "\2\0\x10\0UI"sv, kDicom},
    Signature{0, "\x8\0\0\0\4\0\0\0"sv, kDicom},
    Signature{0, "\x8\0\0\0UL\4\0"sv, kDicom},
    Signature{0, "\x8\0\5\0CS"sv, kDicom},
    Signature{0, "\x8\0\x8\0CS"sv, kDicom},
    Signature{0, "\x8\0\x16\0UI"sv, kDicom},
    Signature{0, "GIF8"sv, {"a GIF", kSave}},
    Signature{0, "II*\0\x10\0\0\0CR"sv, kRaw},
    Signature{0, "II*\0"sv, kTiff},
    Signature{0, "MM\0*"sv, kTiff},
    Signature{0, "II+\0"sv, kTiff},
    Signature{0, "MM\0+"sv, kTiff},
    Signature{0, "IIU\0"sv, kRaw},
    Signature{0, "IIRO"sv, kRaw},
    Signature{0, "IIRS"sv, kRaw},
    Signature{0, "MMOR"sv, kRaw},
    Signature{0, "FUJIFILMCCD-RAW"sv, kRaw},
    Signature{0, "FOVb"sv, kRaw},
    Signature{0, "\0MRM"sv, kRaw},
    Signature{6, "HEAPCCDR"sv, kRaw},
    Signature{0, "II\xBC"sv, {"a JPEG XR picture", kSave}},
    Signature{0, "%PDF"sv, {"a PDF document", kTakeOut}},
    Signature{0, "8BPS"sv, {"a Photoshop file", kSave}},
    Signature{0, "\0\0\1\0"sv, {"an icon file", kSave}},
    Signature{0, "\xFF\x0A"sv, kJpegXl},
    Signature{0, "\0\0\0\x0CJXL "sv, kJpegXl},
    Signature{0, "\0\0\0\x0CjP  "sv, kJpeg2000},
    Signature{0, "\xFF\x4F\xFF\x51"sv, kJpeg2000},
    Signature{0, "PK\3\4"sv, {"a ZIP archive or office document", kUnpack}},
    Signature{0, "Rar!"sv, {"a RAR archive", kUnpack}},
    Signature{0, "7z\xBC\xAF"sv, {"a 7z archive", kUnpack}},
    Signature{0, "\x1F\x8B"sv, {"a compressed (gzip) file", kUnpack}},
    Signature{0, "\xD0\xCF\x11\xE0"sv, {"an office document", kTakeOut}},
    Signature{
        0,
        "\0\5\x16\7"sv,
        {"a companion file of macOS, not the picture itself", "choose the file of that name without '._' in front"}},
    Signature{8, "AVI "sv, kVideo},
    Signature{8, "WAVE"sv, kAudio},
    Signature{0, "RIFF"sv, {"an audio or video file", kChoose}},
    Signature{0, "\x1A\x45\xDF\xA3"sv, {"a video (Matroska or WebM)", kPause}},
    Signature{0, "\0\0\1\xBA"sv, kVideo},
    Signature{0, "\0\0\1\xB3"sv, kVideo},
    Signature{0, "\x30\x26\xB2\x75"sv, kVideo},
    Signature{0, "FLV\1"sv, kVideo},
    Signature{4, "moov"sv, kVideo},
    Signature{4, "mdat"sv, kVideo},
    Signature{4, "wide"sv, kVideo},
    Signature{0, "OggS"sv, {"an audio or video file", kChoose}},
    Signature{0, "ID3"sv, kAudio},
};

bool is_text(Bytes bytes) {
  const Bytes head = slice(bytes, 0, 512);
  return std::all_of(head.begin(), head.end(),
                     [](std::uint8_t c) { return c >= 0x20 || c == '\t' || c == '\n' || c == '\r' || c == '\f'; });
}

Kind text_kind(Bytes bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 1024));
  if (text.find("<svg") != std::string_view::npos) return {"an SVG drawing", kSave};
  if (text.find("<!DOCTYPE html") != std::string_view::npos || text.find("<!doctype html") != std::string_view::npos ||
      text.find("<html") != std::string_view::npos)
    return {"a web page", "save the picture itself, not the page that shows it"};
  return {"a text file", kChoose};
}

Kind other_kind(Bytes bytes) {
  for (const Signature& other : kOthers) {
    if (starts_with(bytes, other.magic, other.at)) return other.kind;
  }
  return is_text(bytes) ? text_kind(bytes) : Kind{"no known picture format"sv, kSave};
}

Expected<Format> unsupported(const Kind& kind) {
  return fail(ErrorCode::kUnsupportedFormat, "the file is " + std::string(kind.name) + "; " +
                                                 std::string(kReadableFormats) +
                                                 " can be read: " + std::string(kind.advice));
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
    const foreign::IsoKind iso = foreign::iso_kind(bytes);
    if (iso.format) return *iso.format;
    switch (iso.other) {
      case foreign::IsoOther::kVideo:
        return unsupported(kVideo);
      case foreign::IsoOther::kRaw:
        return unsupported(kRaw);
      case foreign::IsoOther::kPicture:
        return unsupported({"a HEIF picture of a coding that is not read", kSave});
    }
  }
  return unsupported(other_kind(bytes));
}

}  // namespace dermlet
