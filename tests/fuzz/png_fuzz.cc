// Any bytes as PNG data behind a header that passed: pixels of that size or an error, within the budget.
// Checksums are not held against the fuzzer.
#include <cstdlib>

#include "formats/decode.h"
#include "formats/inspect.h"
#include "formats/stb.h"
#include "input.h"

using namespace dermlet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto file = with_checksums({data, size});
  if (const auto header = inspect(file);
      header && header->format == Format::kPng && static_cast<std::int64_t>(header->width) * header->height < 300'000) {
    const auto image = decode(file, *header, {0, 0, header->width, header->height}, 1);
    if (image &&
        (image->image.width != header->width || image->image.height != header->height || image->image.channels != 3))
      std::abort();
  }
  const StbPicture picture = stb_decode(file, 32u << 20);
  std::free(picture.pixels);
  return 0;
}
