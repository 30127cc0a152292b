// Colours by ITU-T H.273's codes, as PNG (cICP) and HEIF (colr of type nclx) state them.
#pragma once

#include "colour/description.h"

namespace dermlet {

// By the codes of primaries and transfer function: BT.709's, BT.2020's and Display P3's primaries with sRGB's curve or
// a power law. BT.709's, BT.601's and BT.2020's curves are taken as sRGB's, as browsers do; kNone where the codes leave
// the primaries open, kUnreadable for all else, high dynamic range (PQ, HLG) included.
[[nodiscard]] ColourDescription described_by_codes(unsigned primaries, unsigned transfer);

}  // namespace dermlet
