// libjpeg-turbo's own scaled decode, to compare the core's with: in tests and in the benchmark, never in the library.
#pragma once

#include "bytes.h"
#include "image.h"

namespace dermlet::testing {

// RGB8 at 1/reduction of the size, rounded up; reduction 1, 2, 4 or 8. Accurate integer DCT and libjpeg's defaults
// otherwise. Empty when the file is broken.
[[nodiscard]] Image scaled_jpeg(Bytes file, unsigned reduction);

}  // namespace dermlet::testing
