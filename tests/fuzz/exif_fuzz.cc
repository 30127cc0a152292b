// Any bytes as a TIFF block: an orientation of 1-8 and nothing read outside.
#include <cstdlib>

#include "formats/exif.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int orientation = dermlet::read_orientation({data, size});
  static_cast<void>(dermlet::states_adobe_rgb({data, size}));
  if (orientation < 1 || orientation > 8) std::abort();
  return 0;
}
