// What a file is, from its first bytes; its name and declared type are never believed.
#pragma once

#include <cstddef>

#include "bytes.h"
#include "contract.h"
#include "expected.h"

namespace dermlet {

// What sniff() looks at is among the first of these: of pictures in ISO boxes the metadata, of all else much less.
inline constexpr std::size_t kSniffedBytes = 65536;

// Errors: kUnsupportedFormat (the message names what the file seems to be, and what to do), kCorruptImage (empty).
[[nodiscard]] Expected<Format> sniff(Bytes bytes);

}  // namespace dermlet
