// Bits of JPEG entropy-coded data, most significant first (ITU-T T.81 F.2.2.5), with byte stuffing removed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "bytes.h"

namespace dermlet::jpeg {

// Reads up to the next marker or the end of the bytes. Past that it gives zeros and remembers that it did.
class BitReader {
 public:
  BitReader() = default;
  BitReader(Bytes bytes, std::size_t at) : bytes_(bytes), at_(at) {}

  // Makes at least 32 bits available to peek() and drop(), zeros where there are none left.
  void fill() {
    if (count_ >= 32) return;
    if (bytes_.size() - at_ >= 8) {
      std::uint64_t word;
      std::memcpy(&word, bytes_.data() + at_, sizeof word);
      word = __builtin_bswap64(word);  // x86-64 and WebAssembly are little-endian
      const std::uint64_t inverse = ~word;
      const bool has_ff = ((inverse - 0x0101010101010101u) & word & 0x8080808080808080u) != 0;
      if (!has_ff) {
        const int taken = (63 - count_) >> 3;
        bits_ |= word >> count_;
        at_ += static_cast<std::size_t>(taken);
        count_ += taken * 8;
        // Bits beyond count_ may be set already; they are the same ones that the next fill brings.
        return;
      }
    }
    fill_bytewise();
  }

  [[nodiscard]] std::uint32_t peek(int n) const { return static_cast<std::uint32_t>(bits_ >> (64 - n)); }  // 1 <= n <= 32

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

  // Where the marker (or the end) stands that stopped the bits, once all before it has been taken; the next marker otherwise.
  [[nodiscard]] std::size_t position() const { return at_; }

 private:
  void fill_bytewise() {
    // What lies beyond count_ may be left over from a whole-word fill.
    bits_ = count_ == 0 ? 0 : bits_ >> (64 - count_) << (64 - count_);
    while (count_ <= 56) {
      std::uint64_t byte = 0;
      if (padding_ == 0 && at_ < bytes_.size() && (bytes_[at_] != 0xFF || (at_ + 1 < bytes_.size() && bytes_[at_ + 1] == 0))) {
        byte = bytes_[at_];
        at_ += byte == 0xFF ? 2 : 1;
      } else {
        padding_ += 8;
      }
      bits_ |= byte << (56 - count_);
      count_ += 8;
    }
  }

  Bytes bytes_;
  std::size_t at_ = 0;
  std::uint64_t bits_ = 0;  // the next bit is the highest
  int count_ = 0;           // valid bits
  int padding_ = 0;         // how many of all bits ever added were made up
};

}  // namespace dermlet::jpeg
