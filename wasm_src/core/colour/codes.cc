#include "colour/codes.h"

namespace dermlet {
namespace {

// SMPTE EG 432-1 and BT.2020, with the white of D65.
constexpr Primaries kDisplayP3 = {{{0.3127, 0.3290}, {0.680, 0.320}, {0.265, 0.690}, {0.150, 0.060}}};
constexpr Primaries kBt2020 = {{{0.3127, 0.3290}, {0.708, 0.292}, {0.170, 0.797}, {0.131, 0.046}}};

}  // namespace

ColourDescription described_by_codes(unsigned primaries, unsigned transfer) {
  std::optional<double> exponent;
  switch (transfer) {
    case 1:
    case 2:  // says nothing
    case 6:
    case 13:
    case 14:
    case 15:
      break;
    case 4:
      exponent = 2.2;
      break;
    case 5:
      exponent = 2.8;
      break;
    case 8:
      exponent = 1;
      break;
    default:
      return {ColourKind::kUnreadable};
  }
  switch (primaries) {
    case 0:
    case 2:
      return {};
    case 1:
      if (!exponent) return {ColourKind::kSrgb};
      return {ColourKind::kPrimaries, {}, kSrgbPrimaries, exponent};
    case 9:
      return {ColourKind::kPrimaries, {}, kBt2020, exponent};
    case 12:
      return {ColourKind::kPrimaries, {}, kDisplayP3, exponent};
    default:
      return {ColourKind::kUnreadable};
  }
}

}  // namespace dermlet
