// Inverse DCT of one 8x8 block to 8, 4, 2 or 1 samples a side, each side by itself.
//
// 8 points: the accurate integer transform of the Independent JPEG Group (Loeffler, Ligtenberg, Moschytz 1989), to the
// bit what libjpeg and libjpeg-turbo call "islow". Fewer points: the same transform of the block's lowest frequencies
// only, which is the picture low-passed and sampled at the centres of equal parts of the block.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dermlet::jpeg {

//   points_x, points_y  1, 2, 4 or 8: samples across and down
//   coefficients        64 in natural order (8 a row of one vertical frequency), dequantised, each within +-32767
//   samples             0..255
void inverse_dct(int points_x, int points_y, const std::int32_t* coefficients, std::uint8_t* samples,
                 std::size_t stride);

}  // namespace dermlet::jpeg
