// What a file is, from its bytes: format, size, orientation and colours, and what to change in it before it is decoded
// elsewhere. Nothing is decoded; every bound is checked, and the limits of header.h hold.
#pragma once

#include "bytes.h"
#include "expected.h"
#include "formats/header.h"

namespace dermlet {

// Walks the file's structure without reading its picture data. Allocates only the copy of a colour profile, at most
// kMaxProfileBytes.
//   bytes  a whole file
// Errors: kUnsupportedFormat (named), kCorruptImage (broken header, cut off), kImageTooLarge (kMaxFileBytes, kMaxSide,
// kMaxPixels; no memory).
[[nodiscard]] Expected<Header> inspect(Bytes bytes);

}  // namespace dermlet
