// What a picture file says of its colours, whatever its format. Readers of headers fill it in (formats/), colour.h
// makes a conversion of it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "bytes.h"
#include "contract.h"
#include "expected.h"
#include "image.h"

namespace dermlet {

inline constexpr std::size_t kMaxProfileBytes = std::size_t{4} << 20;

struct Chromaticity {
  double x = 0;
  double y = 0;
};

using Primaries = std::array<Chromaticity, 4>;  // white, red, green, blue

inline constexpr Primaries kSrgbPrimaries = {{{0.3127, 0.3290}, {0.64, 0.33}, {0.30, 0.60}, {0.15, 0.06}}};

struct ColourDescription {
  ColourKind kind = ColourKind::kNone;
  Buffer<std::uint8_t> profile{};        // kProfile: a copy of the file's, at most kMaxProfileBytes
  Primaries primaries = kSrgbPrimaries;  // kPrimaries
  std::optional<double> exponent{};      // kPrimaries: of the power law; without one the curve is sRGB's
};

// With a copy of the profile; kUnreadable for one over kMaxProfileBytes. Errors: kImageTooLarge (no memory).
[[nodiscard]] inline Expected<ColourDescription> described_by_profile(Bytes icc) {
  ColourDescription colours{ColourKind::kUnreadable};
  if (icc.size() > kMaxProfileBytes) return colours;
  DERMLET_TRY(copy, Buffer<std::uint8_t>::allocate(icc.size()));
  std::copy(icc.begin(), icc.end(), copy.data());
  colours.kind = ColourKind::kProfile;
  colours.profile = std::move(copy);
  return colours;
}

}  // namespace dermlet
