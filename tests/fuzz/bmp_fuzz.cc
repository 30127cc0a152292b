// Any bytes as a BMP: pixels of the size that its header states or an error; and a part of the picture must be what the
// whole picture shows there.
#include <algorithm>
#include <cstdlib>

#include "formats/bmp/bmp.h"

using namespace dermlet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || data[0] != 'B' || data[1] != 'M') return 0;
  const Bytes bytes(data, size);
  const auto header = read_bmp_header(bytes);
  if (!header || static_cast<std::int64_t>(header->width) * header->height > 300'000) return 0;
  const auto all = decode_bmp(bytes, {0, 0, header->width, header->height});
  const Rect part = {header->width / 3, header->height / 3, std::max(header->width / 4, 1),
                     std::max(header->height / 4, 1)};
  const auto cut = decode_bmp(bytes, part);
  if (all.has_value() != cut.has_value()) std::abort();
  if (!all) return 0;
  if (all->width != header->width || all->height != header->height || cut->channels != all->channels) std::abort();
  for (int y = 0; y < part.height; ++y) {
    const std::uint8_t* whole = all->row(part.y + y) + static_cast<std::ptrdiff_t>(part.x) * all->channels;
    if (!std::equal(cut->row(y), cut->row(y) + cut->stride(), whole)) std::abort();
  }
  return 0;
}
