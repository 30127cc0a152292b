// Any bytes as an ICC profile, as a JPEG's or PNG's words about its colours, and as a zlib stream: a converter whose
// white is light or none, nothing read outside.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "colour/colour.h"
#include "formats/inspect.h"
#include "formats/stb.h"

using namespace dermlet;

namespace {

void check(const Converter& converter) {
  if (converter.takes_inks()) {
    std::array<std::uint8_t, 1024> inks;
    for (std::size_t i = 0; i < inks.size(); ++i) inks[i] = static_cast<std::uint8_t>(i / 4 * (i % 4 + 1));
    std::array<std::uint8_t, 768> rgb{};
    converter.apply_inks(inks, rgb);
    if (*std::min_element(rgb.begin(), rgb.begin() + 3) < 192) std::abort();
    return;
  }
  (void)converter.changes_nothing();
  std::array<std::uint8_t, 768> ramp;
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<std::uint8_t>(i / 3 * (i % 3 + 1));
  converter.apply(ramp);
  std::array<std::uint8_t, 3> white = {255, 255, 255};
  converter.apply(white);
  if (*std::min_element(white.begin(), white.end()) < 192) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, size);
  auto converter = Converter::allocate();
  if (!converter) return 0;
  if (Profile profile; read_profile(bytes, profile)) {
    for (const Levels& curve : profile.curves) {
      for (const double light : curve) {
        if (!(light >= -4 && light <= 4)) std::abort();
      }
    }
    if (converter->set(std::move(profile))) check(*converter);
  }
  if (const auto header = inspect(bytes);
      header && set_converter(header->colours, header->channels, *converter) == ColourSource::kConverted)
    check(*converter);
  if (stb_inflate(bytes, 1u << 16).size() > 1u << 16) std::abort();
  return 0;
}
