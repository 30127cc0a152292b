// Bits of JPEG entropy-coded data, most significant first (ITU-T T.81 F.2.2.5), with byte stuffing removed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#endif

#include "bytes.h"

namespace dermlet::jpeg {

// Eight bytes, the first the highest.
inline std::uint64_t big_endian_word(const std::uint8_t* from) {
#ifdef __wasm_simd128__
  // WebAssembly has no instruction that turns bytes round; made of shifts it costs more than all else here.
  const v128_t bytes = wasm_v128_load64_zero(from);
  return static_cast<std::uint64_t>(wasm_i64x2_extract_lane(
      wasm_i8x16_shuffle(bytes, bytes, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8), 0));
#else
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return __builtin_bswap64(word);  // x86-64 and WebAssembly are little-endian
#endif
}

// Reads up to the next marker or the end of the bytes. Past that it gives zeros and remembers that it did.
class BitReader {
 public:
  BitReader() = default;
  BitReader(Bytes bytes, std::size_t at) : bytes_(bytes), at_(at) {}

  // Makes at least 32 bits available to peek() and drop(), zeros where there are none left. Nothing here hands out the
  // reader's address: a local one stays in registers.
  [[gnu::always_inline]] void fill() {
    if (count_ < 32) fill_up();
  }

  // At least 56 bits. A bit must have been taken since the last fill, which may have left 64: a shift by as many means
  // nothing.
  [[gnu::always_inline]] void fill_up() {
    if (bytes_.size() - at_ >= 8) {
      const std::uint64_t word = big_endian_word(bytes_.data() + at_);
      const std::uint64_t inverse = ~word;
      const bool has_ff = ((inverse - 0x0101010101010101u) & word & 0x8080808080808080u) != 0;
      if (!has_ff) {
        const int added = (63 - count_) >> 3;
        bits_ |= word >> count_;
        at_ += static_cast<std::size_t>(added);
        count_ += added * 8;
        // Bits beyond count_ may be set already; they are the same ones that the next fill brings.
        return;
      }
    }
    *this = filled_bytewise(*this);
  }

  [[nodiscard]] std::uint32_t peek(int n) const {
    return static_cast<std::uint32_t>(bits_ >> (64 - n));
  }  // 1 <= n <= 32

  void drop(int n) {
    bits_ <<= n;
    count_ -= n;
  }

  // fill() must have been called for the bits taken. n may be 0.
  [[nodiscard]] std::uint32_t take(int n) {
    const auto value = static_cast<std::uint32_t>((bits_ >> 1) >> (63 - n));
    drop(n);
    return value;
  }

  // Whether bits that the file does not hold have been taken.
  [[nodiscard]] bool overrun() const { return count_ < padding_; }

  // Where the marker (or the end) stands that stopped the bits, once all before it has been taken; the next marker
  // otherwise.
  [[nodiscard]] std::size_t position() const { return at_; }

 private:
  [[gnu::noinline]] static BitReader filled_bytewise(BitReader r) {
    // What lies beyond count_ may be left over from a whole-word fill.
    r.bits_ = r.count_ == 0 ? 0 : r.bits_ >> (64 - r.count_) << (64 - r.count_);
    while (r.count_ <= 56) {
      std::uint64_t byte = 0;
      if (r.padding_ == 0 && r.at_ < r.bytes_.size() && r.bytes_[r.at_] != 0xFF) {
        byte = r.bytes_[r.at_++];
      } else if (const std::size_t end = r.padding_ == 0 ? r.end_of_stuffed() : 0; end != 0) {
        byte = 0xFF;
        r.at_ = end;
      } else {
        r.padding_ += 8;
      }
      r.bits_ |= byte << (56 - r.count_);
      r.count_ += 8;
    }
    return r;
  }

  // What follows a stuffed byte at the reader's place; 0 where a marker or the end stands there. As in libjpeg, any
  // number of fill bytes may come before the zero.
  [[nodiscard]] std::size_t end_of_stuffed() const {
    std::size_t at = at_;
    while (at < bytes_.size() && bytes_[at] == 0xFF) ++at;
    return at < bytes_.size() && bytes_[at] == 0 && at > at_ ? at + 1 : 0;
  }

  Bytes bytes_;
  std::size_t at_ = 0;
  std::uint64_t bits_ = 0;  // the next bit is the highest
  int count_ = 0;           // valid bits
  int padding_ = 0;         // how many of all bits ever added were made up
};

}  // namespace dermlet::jpeg
