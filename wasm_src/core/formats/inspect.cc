#include "formats/inspect.h"

#include <string>

#include "formats/bmp/bmp.h"
#include "formats/foreign/foreign.h"
#include "formats/jpeg/jpeg.h"
#include "formats/png/png.h"

namespace dermlet {

Expected<Header> inspect(Bytes bytes) {
  if (bytes.size() > kMaxFileBytes) {
    return fail(ErrorCode::kImageTooLarge, "the file has " + std::to_string(bytes.size() >> 20) + " MiB; at most " +
                                               std::to_string(kMaxFileBytes >> 20) + " can be read");
  }
  DERMLET_TRY(format, sniff(bytes));
  switch (format) {
    case Format::kJpeg:
      return read_jpeg_header(bytes);
    case Format::kPng:
      return read_png_header(bytes);
    case Format::kBmp:
      return read_bmp_header(bytes);
    case Format::kWebp:
      return read_webp_header(bytes);
    case Format::kAvif:
    case Format::kHeic:
      return read_heif_header(bytes, format);
  }
  return fail(ErrorCode::kUnsupportedFormat, "no known picture format");
}

}  // namespace dermlet
