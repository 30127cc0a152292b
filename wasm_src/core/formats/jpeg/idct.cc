#include "formats/jpeg/idct.h"

#include <algorithm>
#include <cstring>

#include "vectors.h"

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

// One dimension: in[k] -> out[j], scaled up by sqrt(8) and 2^13, of one column or of several in a vector.
// Overflow on nonsense coefficients wraps (this file is compiled with -fwrapv); valid ones cannot.
template <int Points, typename T>
void transform_points(const T (&in)[8], T (&out)[8]) {
  if constexpr (Points == 1) {
    out[0] = in[0] << kConstBits;
  } else if constexpr (Points == 2) {
    out[0] = (in[0] + in[1]) << kConstBits;
    out[1] = (in[0] - in[1]) << kConstBits;
  } else if constexpr (Points == 4) {
    const T even_sum = (in[0] + in[2]) << kConstBits;
    const T even_difference = (in[0] - in[2]) << kConstBits;
    const T outer = in[1] * k1_306562965 + in[3] * k0_541196100;
    const T inner = in[1] * k0_541196100 - in[3] * k1_306562965;
    out[0] = even_sum + outer;
    out[1] = even_difference + inner;
    out[2] = even_difference - inner;
    out[3] = even_sum - outer;
  } else {
    // Even part.
    T z1 = (in[2] + in[6]) * k0_541196100;
    T tmp2 = z1 - in[6] * k1_847759065;
    T tmp3 = z1 + in[2] * k0_765366865;
    T tmp0 = (in[0] + in[4]) << kConstBits;
    T tmp1 = (in[0] - in[4]) << kConstBits;
    const T tmp10 = tmp0 + tmp3;
    const T tmp13 = tmp0 - tmp3;
    const T tmp11 = tmp1 + tmp2;
    const T tmp12 = tmp1 - tmp2;
    // Odd part.
    tmp0 = in[7];
    tmp1 = in[5];
    tmp2 = in[3];
    tmp3 = in[1];
    z1 = tmp0 + tmp3;
    T z2 = tmp1 + tmp2;
    T z3 = tmp0 + tmp2;
    T z4 = tmp1 + tmp3;
    const T z5 = (z3 + z4) * k1_175875602;
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
    out[0] = tmp10 + tmp3;
    out[7] = tmp10 - tmp3;
    out[1] = tmp11 + tmp2;
    out[6] = tmp11 - tmp2;
    out[2] = tmp12 + tmp1;
    out[5] = tmp12 - tmp1;
    out[3] = tmp13 + tmp0;
    out[4] = tmp13 - tmp0;
  }
}

template <typename T>
void transform(int points, const T (&in)[8], T (&out)[8]) {
  switch (points) {
    case 1:
      transform_points<1>(in, out);
      return;
    case 2:
      transform_points<2>(in, out);
      return;
    case 4:
      transform_points<4>(in, out);
      return;
    default:
      transform_points<8>(in, out);
      return;
  }
}

template <int Bits, typename T>
T descale(T x) {
  return (x + (1 << (Bits - 1))) >> Bits;
}

std::uint8_t to_sample(std::int32_t x) { return static_cast<std::uint8_t>(std::clamp(x + 128, 0, 255)); }

// At most 2x2 samples: sums of up to four coefficients, exact and rounded once.
void small_inverse_dct(int points_x, int points_y, const std::int32_t* coefficients, std::uint8_t* samples,
                       std::size_t stride) {
  const std::int32_t c00 = coefficients[0];
  const std::int32_t c01 = points_x > 1 ? coefficients[1] : 0;
  const std::int32_t c10 = points_y > 1 ? coefficients[8] : 0;
  const std::int32_t c11 = points_x > 1 && points_y > 1 ? coefficients[9] : 0;
  samples[0] = to_sample(descale<3>(c00 + c01 + c10 + c11));
  if (points_x > 1) samples[1] = to_sample(descale<3>(c00 - c01 + c10 - c11));
  if (points_y > 1) samples[stride] = to_sample(descale<3>(c00 + c01 - c10 - c11));
  if (points_x > 1 && points_y > 1) samples[stride + 1] = to_sample(descale<3>(c00 - c01 - c10 + c11));
}

#ifdef DERMLET_SCALAR

void large_inverse_dct(int points_x, int points_y, const std::int32_t* coefficients, std::uint8_t* samples,
                       std::size_t stride) {
  std::int32_t rows[8][8] = {};
  std::int32_t in[8] = {};
  std::int32_t out[8] = {};
  for (int x = 0; x < points_x; ++x) {
    for (int k = 0; k < 8; ++k) in[k] = coefficients[k * 8 + x];
    transform(points_y, in, out);
    for (int y = 0; y < points_y; ++y) rows[y][x] = descale<kConstBits - kPass1Bits>(out[y]);
  }
  for (int y = 0; y < points_y; ++y, samples += stride) {
    transform(points_x, rows[y], out);
    for (int x = 0; x < points_x; ++x) samples[x] = to_sample(descale<kConstBits + kPass1Bits + 3>(out[x]));
  }
}

#else

// Rows become columns: to[i][j] = from[j][i].
void transpose(const Four* from, Four* to) {
  const Four low_01 = __builtin_shufflevector(from[0], from[1], 0, 4, 1, 5);
  const Four low_23 = __builtin_shufflevector(from[2], from[3], 0, 4, 1, 5);
  const Four high_01 = __builtin_shufflevector(from[0], from[1], 2, 6, 3, 7);
  const Four high_23 = __builtin_shufflevector(from[2], from[3], 2, 6, 3, 7);
  to[0] = __builtin_shufflevector(low_01, low_23, 0, 1, 4, 5);
  to[1] = __builtin_shufflevector(low_01, low_23, 2, 3, 6, 7);
  to[2] = __builtin_shufflevector(high_01, high_23, 0, 1, 4, 5);
  to[3] = __builtin_shufflevector(high_01, high_23, 2, 3, 6, 7);
}

Four to_samples(Four x) { return clamped(descale<kConstBits + kPass1Bits + 3>(x) + 128); }

// Four columns of a picture in each vector of the first pass, four rows in each of the second. Where fewer are wanted
// the rest is worked out of whatever is there and not stored.
void large_inverse_dct(int points_x, int points_y, const std::int32_t* coefficients, std::uint8_t* samples,
                       std::size_t stride) {
  Four rows[2][8];  // [which four rows][x]
  Four in[8];
  Four out[8] = {};
  for (int x = 0; x < points_x; x += 4) {
    for (int k = 0; k < points_y; ++k) in[k] = four_numbers(coefficients + std::ptrdiff_t{k} * 8 + x);
    transform(points_y, in, out);
    for (int y = 0; y < points_y; ++y) out[y] = descale<kConstBits - kPass1Bits>(out[y]);
    for (int y = 0; y < points_y; y += 4) transpose(out + y, rows[y / 4] + x);
  }
  for (int y = 0; y < points_y; y += 4) {
    transform(points_x, rows[y / 4], out);
    for (int x = 0; x < points_x; x += 4) {
      // The four samples of each row, in one number: the machines that this runs on are little-endian.
      const Four packed = to_samples(out[x]) | to_samples(out[x + 1]) << 8 | to_samples(out[x + 2]) << 16 |
                          to_samples(out[x + 3]) << 24;
      for (int row = 0; row < std::min(4, points_y - y); ++row) {
        const std::int32_t four = packed[row];
        std::memcpy(samples + static_cast<std::size_t>(y + row) * stride + static_cast<std::size_t>(x), &four,
                    static_cast<std::size_t>(std::min(4, points_x - x)));
      }
    }
  }
}

#endif

}  // namespace

void inverse_dct(int points_x, int points_y, const std::int32_t* coefficients, std::uint8_t* samples,
                 std::size_t stride) {
  if (points_x <= 2 && points_y <= 2) return small_inverse_dct(points_x, points_y, coefficients, samples, stride);
  large_inverse_dct(points_x, points_y, coefficients, samples, stride);
}

}  // namespace dermlet::jpeg
