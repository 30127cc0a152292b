// JPEG Huffman tables (ITU-T T.81 annex C and F.2.2), laid out for look-up.
#pragma once

#include <array>
#include <cstdint>

#include "bytes.h"
#include "formats/jpeg/bits.h"

namespace dermlet::jpeg {

// What a magnitude category and its bits mean (T.81 F.2.2.1, EXTEND).
[[nodiscard]] inline int extend(std::uint32_t bits, int size) {
  return size == 0 || (bits >> (size - 1)) != 0 ? static_cast<int>(bits) : static_cast<int>(bits) - (1 << size) + 1;
}

class HuffmanTable {
 public:
  static constexpr int kLookupBits = 11;
  static constexpr int kSkipBits = 13;
  static constexpr int kNone = -1;

  // One symbol together with its magnitude bits, when both fit into the look-up.
  struct Coefficient {
    std::int16_t value;
    std::uint8_t run;   // zeros before it
    std::uint8_t bits;  // 0 when they do not fit
  };

  // As many whole symbols as fit: how far they move in the block, whether the last one ends it. In one word, so that a
  // look-up is one load.
  class Skip {
   public:
    Skip() = default;
    Skip(int bits, int advance, bool ends)
        : packed_(static_cast<std::uint16_t>(bits | advance << 4 | (ends ? 1 << 10 : 0))) {}

    [[nodiscard]] int bits() const { return packed_ & 15; }  // 0 when not even one fits
    [[nodiscard]] int advance() const { return packed_ >> 4 & 63; }
    [[nodiscard]] bool ends() const { return packed_ >> 10 != 0; }

   private:
    std::uint16_t packed_ = 0;
  };

  enum class Kind : std::uint8_t { kDc, kAc };

  // counts: how many codes of 1..16 bits; symbols in code order. False when they are no prefix code. coefficient()
  // serves kAc only.
  [[nodiscard]] bool build(Kind kind, const std::array<std::uint8_t, 16>& counts, Bytes symbols);

  // The tables that motion JPEG leaves out (T.81 K.3): `chroma` or luma. libjpeg-turbo takes them too where a
  // sequential picture has none.
  void build_standard(Kind kind, bool chroma);

  // Must be called before skip(): the table takes a while to build and most pictures do without.
  void prepare_skips();

  [[nodiscard]] bool present() const { return present_; }

  // The next symbol, or kNone for a code that does not exist. Takes at most 16 bits; fill() first.
  [[nodiscard]] int decode(BitReader& reader) const {
    const Short entry = short_[reader.peek(kLookupBits)];
    if (entry.bits != 0) {
      reader.drop(entry.bits);
      return entry.symbol;
    }
    const Long found = decode_long(reader.peek(16));
    reader.drop(found.bits);
    return found.symbol;
  }

  [[nodiscard]] Coefficient coefficient(const BitReader& reader) const {
    return coefficients_[reader.peek(kLookupBits)];
  }
  [[nodiscard]] Skip skip(const BitReader& reader) const { return skips_[reader.peek(kSkipBits)]; }

 private:
  struct Short {
    std::uint8_t symbol;
    std::uint8_t bits;
  };

  struct Long {
    int symbol;
    int bits;
  };

  // Of a code longer than the look-up, at the top of 16 bits; kNone and 0 when there is none.
  [[nodiscard]] Long decode_long(std::uint32_t bits) const;
  void build_coefficients();
  [[nodiscard]] Short symbol_at(std::uint32_t bits, int available) const;

  std::array<Short, 1 << kLookupBits> short_{};
  std::array<Coefficient, 1 << kLookupBits> coefficients_{};
  std::array<Skip, 1 << kSkipBits> skips_{};
  std::array<std::uint8_t, 256> symbols_{};
  std::array<std::int32_t, 17> last_code_{};    // greatest code of each length, -1 when there is none
  std::array<std::int32_t, 17> first_index_{};  // symbol index of code 0 of each length
  bool present_ = false;
  bool skips_ready_ = false;
};

}  // namespace dermlet::jpeg
