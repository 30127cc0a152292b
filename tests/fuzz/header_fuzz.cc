// Any bytes as a file: a header within the limits or an error, without decoding.
#include <cstdlib>

#include "formats/decode.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto header = dermlet::read_header({data, size});
  if (!header) {
    if (header.error().message.empty()) std::abort();
    return 0;
  }
  if (header->width < 1 || header->height < 1 || header->width > dermlet::kMaxSide ||
      header->height > dermlet::kMaxSide)
    std::abort();
  if (static_cast<std::size_t>(header->width) * static_cast<std::size_t>(header->height) > dermlet::kMaxPixels)
    std::abort();
  for (const dermlet::BytePatch& patch : header->plain) {
    if (patch.at >= size) std::abort();
  }
  return 0;
}
