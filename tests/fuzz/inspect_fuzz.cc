// Any bytes as a file: a header within the limits or an error, without decoding.
#include <cstdlib>

#include "formats/inspect.h"

using namespace dermlet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto header = inspect({data, size});
  if (!header) {
    if (header.error().message.empty()) std::abort();
    return 0;
  }
  if (header->width < 1 || header->height < 1 || header->width > kMaxSide || header->height > kMaxSide) std::abort();
  if (static_cast<std::size_t>(header->width) * static_cast<std::size_t>(header->height) > kMaxPixels) std::abort();
  if (header->orientation < 1 || header->orientation > 8) std::abort();
  const auto& [kind, profile, primaries, exponent] = header->colours;
  if (profile.size() > kMaxProfileBytes || (kind != ColourKind::kProfile && !profile.empty())) std::abort();
  if (!is_foreign(header->format) && !header->neutralising.empty()) std::abort();
  for (const BytePatch& patch : header->neutralising) {
    if (patch.at >= size) std::abort();
  }
  return 0;
}
