// What a file is, from its first bytes; its name and declared type are never believed.
#pragma once

#include <cstddef>

#include "bytes.h"
#include "contract.h"
#include "expected.h"

namespace dermlet {

// What sniff() looks at is among the first of these.
inline constexpr std::size_t kSniffedBytes = 1024;

// Errors: kUnsupportedFormat (the message names what the file seems to be), kCorruptImage (empty).
[[nodiscard]] Expected<Format> sniff(Bytes bytes);

}  // namespace dermlet
