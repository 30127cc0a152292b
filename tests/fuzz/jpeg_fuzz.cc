// Any bytes as a JPEG, at a reduction that the last byte chooses; a part of the picture must be what the whole picture
// shows there.
#include <algorithm>
#include <cstdlib>

#include "formats/header.h"
#include "formats/jpeg/jpeg.h"

using namespace dermlet;

namespace {

// Calls for the part of `all` that `cut` covers and `part` asked for.
void expect_same(const Reduced& all, const Reduced& cut, const Rect& part, int reduction) {
  const int right = std::min((part.x + part.width + reduction - 1) / reduction, all.image.width);
  const int bottom = std::min((part.y + part.height + reduction - 1) / reduction, all.image.height);
  for (int y = part.y / reduction; y < bottom; ++y) {
    const std::uint8_t* a = all.image.row(y) + part.x / reduction * 3;
    const std::uint8_t* b = cut.image.row(y - cut.y) + (part.x / reduction - cut.x) * 3;
    if (!std::equal(a, a + (right - part.x / reduction) * 3, b)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4 || data[0] != 0xFF || data[1] != 0xD8) return 0;
  const Bytes bytes(data, size);
  const auto header = read_jpeg_header(bytes);
  if (!header || static_cast<std::int64_t>(header->width) * header->height > 30'000) return 0;
  const int reduction = 1 << (data[size - 1] & 3);
  const auto all = decode_jpeg(bytes, {0, 0, header->width, header->height}, reduction);
  const Rect part = {header->width / 3, header->height / 3, std::max(header->width / 4, 1),
                     std::max(header->height / 4, 1)};
  const auto cut = decode_jpeg(bytes, part, reduction);
  // Outside the part a broken block is passed over without being looked at, so the part may be readable where the whole
  // is not; never the reverse.
  if (all && !cut) std::abort();
  if (all && cut) expect_same(*all, *cut, part, reduction);
  return 0;
}
