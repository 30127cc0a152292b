#include "formats/jpeg/idct.h"

#include <algorithm>
#include <cstring>

namespace dermlet::jpeg {
namespace {

constexpr int kConstBits = 13;
constexpr int kPass1Bits = 2;

constexpr std::int32_t fix(double x) { return static_cast<std::int32_t>(x * (1 << kConstBits) + 0.5); }

constexpr std::int32_t k0_298631336 = fix(0.298631336), k0_390180644 = fix(0.390180644),
                       k0_541196100 = fix(0.541196100), k0_765366865 = fix(0.765366865),
                       k0_899976223 = fix(0.899976223), k1_175875602 = fix(1.175875602),
                       k1_306562965 = fix(1.306562965), k1_501321110 = fix(1.501321110),
                       k1_847759065 = fix(1.847759065), k1_961570560 = fix(1.961570560),
                       k2_053119869 = fix(2.053119869), k2_562915447 = fix(2.562915447),
                       k3_072711026 = fix(3.072711026);

using Lanes = std::int32_t[8][8];

// One dimension of eight independent columns: in[k][column] -> out[j][column], scaled up by sqrt(8) and 2^13.
// Overflow on nonsense coefficients wraps (this file is compiled with -fwrapv); valid ones cannot.
template <int Points>
void transform_columns(const Lanes& in, Lanes& out) {
  for (int i = 0; i < 8; ++i) {
    if constexpr (Points == 1) {
      out[0][i] = in[0][i] << kConstBits;
    } else if constexpr (Points == 2) {
      out[0][i] = (in[0][i] + in[1][i]) << kConstBits;
      out[1][i] = (in[0][i] - in[1][i]) << kConstBits;
    } else if constexpr (Points == 4) {
      const std::int32_t even_sum = (in[0][i] + in[2][i]) << kConstBits;
      const std::int32_t even_difference = (in[0][i] - in[2][i]) << kConstBits;
      const std::int32_t outer = in[1][i] * k1_306562965 + in[3][i] * k0_541196100;
      const std::int32_t inner = in[1][i] * k0_541196100 - in[3][i] * k1_306562965;
      out[0][i] = even_sum + outer;
      out[1][i] = even_difference + inner;
      out[2][i] = even_difference - inner;
      out[3][i] = even_sum - outer;
    } else {
      // Even part.
      std::int32_t z1 = (in[2][i] + in[6][i]) * k0_541196100;
      std::int32_t tmp2 = z1 - in[6][i] * k1_847759065;
      std::int32_t tmp3 = z1 + in[2][i] * k0_765366865;
      std::int32_t tmp0 = (in[0][i] + in[4][i]) << kConstBits;
      std::int32_t tmp1 = (in[0][i] - in[4][i]) << kConstBits;
      const std::int32_t tmp10 = tmp0 + tmp3;
      const std::int32_t tmp13 = tmp0 - tmp3;
      const std::int32_t tmp11 = tmp1 + tmp2;
      const std::int32_t tmp12 = tmp1 - tmp2;
      // Odd part.
      tmp0 = in[7][i];
      tmp1 = in[5][i];
      tmp2 = in[3][i];
      tmp3 = in[1][i];
      z1 = tmp0 + tmp3;
      std::int32_t z2 = tmp1 + tmp2;
      std::int32_t z3 = tmp0 + tmp2;
      std::int32_t z4 = tmp1 + tmp3;
      const std::int32_t z5 = (z3 + z4) * k1_175875602;
      tmp0 *= k0_298631336;
      tmp1 *= k2_053119869;
      tmp2 *= k3_072711026;
      tmp3 *= k1_501321110;
      z1 *= -k0_899976223;
      z2 *= -k2_562915447;
      z3 = z3 * -k1_961570560 + z5;
      z4 = z4 * -k0_390180644 + z5;
      tmp0 += z1 + z3;
      tmp1 += z2 + z4;
      tmp2 += z2 + z3;
      tmp3 += z1 + z4;
      out[0][i] = tmp10 + tmp3;
      out[7][i] = tmp10 - tmp3;
      out[1][i] = tmp11 + tmp2;
      out[6][i] = tmp11 - tmp2;
      out[2][i] = tmp12 + tmp1;
      out[5][i] = tmp12 - tmp1;
      out[3][i] = tmp13 + tmp0;
      out[4][i] = tmp13 - tmp0;
    }
  }
}

void transform(int points, const Lanes& in, Lanes& out) {
  switch (points) {
    case 1:
      transform_columns<1>(in, out);
      return;
    case 2:
      transform_columns<2>(in, out);
      return;
    case 4:
      transform_columns<4>(in, out);
      return;
    default:
      transform_columns<8>(in, out);
      return;
  }
}

constexpr std::int32_t descale(std::int32_t x, int bits) { return (x + (1 << (bits - 1))) >> bits; }

std::uint8_t to_sample(std::int32_t x) { return static_cast<std::uint8_t>(std::clamp(x + 128, 0, 255)); }

// At most 2x2 samples: sums of up to four coefficients, exact and rounded once.
void small_inverse_dct(int points_x, int points_y, const std::int32_t* coefficients, std::uint8_t* samples,
                       std::size_t stride) {
  const std::int32_t c00 = coefficients[0];
  const std::int32_t c01 = points_x > 1 ? coefficients[1] : 0;
  const std::int32_t c10 = points_y > 1 ? coefficients[8] : 0;
  const std::int32_t c11 = points_x > 1 && points_y > 1 ? coefficients[9] : 0;
  samples[0] = to_sample(descale(c00 + c01 + c10 + c11, 3));
  if (points_x > 1) samples[1] = to_sample(descale(c00 - c01 + c10 - c11, 3));
  if (points_y > 1) samples[stride] = to_sample(descale(c00 + c01 - c10 - c11, 3));
  if (points_x > 1 && points_y > 1) samples[stride + 1] = to_sample(descale(c00 - c01 - c10 + c11, 3));
}

}  // namespace

void inverse_dct(int points_x, int points_y, const std::int32_t* coefficients, std::uint8_t* samples,
                 std::size_t stride) {
  if (points_x <= 2 && points_y <= 2) return small_inverse_dct(points_x, points_y, coefficients, samples, stride);
  Lanes block;
  Lanes columns = {};
  Lanes rows = {};
  std::memcpy(block, coefficients, sizeof block);
  transform(points_y, block, columns);
  for (int y = 0; y < points_y; ++y) {
    for (int x = 0; x < points_x; ++x) rows[x][y] = descale(columns[y][x], kConstBits - kPass1Bits);
  }
  transform(points_x, rows, columns);
  for (int y = 0; y < points_y; ++y) {
    for (int x = 0; x < points_x; ++x)
      samples[static_cast<std::size_t>(y) * stride + static_cast<std::size_t>(x)] =
          to_sample(descale(columns[x][y], kConstBits + kPass1Bits + 3));
  }
}

}  // namespace dermlet::jpeg
