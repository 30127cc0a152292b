// The sizes at which a HEIF file's pictures are coded. What the file says of its size (ispe) is one thing, what its
// coded data say another, and decoders allocate by the latter: each is held to the limits of a picture.
#pragma once

#include "expected.h"
#include "formats/header.h"

namespace dermlet::foreign {

// Of all coded pictures: AV1's sequence headers (AV1 specification, 5.5) and HEVC's sequence parameter sets (H.265,
// 7.3.2.2), in the items' data and in the decoder's configuration. `meta` is the payload of the file's meta box, after
// its version.
// Errors: kImageTooLarge; kCorruptImage where items have more data than the file, or more parts than a picture can
// need.
[[nodiscard]] Expected<void> check_coded_sizes(Bytes file, Bytes meta);

}  // namespace dermlet::foreign
