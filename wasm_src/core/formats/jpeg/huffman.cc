#include "formats/jpeg/huffman.h"

namespace dermlet::jpeg {

bool HuffmanTable::build(Kind kind, const std::array<std::uint8_t, 16>& counts, Bytes symbols) {
  present_ = skips_ready_ = false;
  short_.fill({});
  std::int32_t code = 0;
  std::size_t index = 0;
  for (int length = 1; length <= 16; ++length) {
    const int count = counts[static_cast<std::size_t>(length - 1)];
    const auto slot = static_cast<std::size_t>(length);
    first_index_[slot] = static_cast<std::int32_t>(index) - code;
    for (int i = 0; i < count; ++i, ++code, ++index) {
      if (index >= symbols.size() || index >= symbols_.size() || code >= 1 << length) return false;
      symbols_[index] = symbols[index];
      if (length > kLookupBits) continue;
      const int free = kLookupBits - length;
      for (int rest = 0; rest < 1 << free; ++rest)
        short_[static_cast<std::size_t>(code << free | rest)] = {symbols[index], static_cast<std::uint8_t>(length)};
    }
    last_code_[slot] = count == 0 ? -1 : code - 1;
    code <<= 1;
  }
  present_ = true;
  if (kind == Kind::kAc) build_coefficients();
  return true;
}

HuffmanTable::Long HuffmanTable::decode_long(std::uint32_t bits) const {
  for (int length = kLookupBits + 1; length <= 16; ++length) {
    const auto slot = static_cast<std::size_t>(length);
    const auto code = static_cast<std::int32_t>(bits >> (16 - length));
    if (code <= last_code_[slot]) return {symbols_[static_cast<std::size_t>(first_index_[slot] + code)], length};
  }
  return {kNone, 0};
}

// The symbol at the top of `available` bits; bits 0 when it does not end within them or is too long for the look-up.
HuffmanTable::Short HuffmanTable::symbol_at(std::uint32_t bits, int available) const {
  const std::uint32_t index =
      available >= kLookupBits ? bits >> (available - kLookupBits) : bits << (kLookupBits - available);
  const Short entry = short_[index];
  return entry.bits <= available ? entry : Short{};
}

void HuffmanTable::build_coefficients() {
  for (std::uint32_t bits = 0; bits < coefficients_.size(); ++bits) {
    coefficients_[bits] = {};
    const Short head = short_[bits];
    const int size = head.symbol & 15;
    const int total = head.bits + size;
    if (head.bits == 0 || size == 0 || total > kLookupBits) continue;
    const std::uint32_t magnitude = bits >> (kLookupBits - total) & ((1u << size) - 1);
    coefficients_[bits] = {static_cast<std::int16_t>(extend(magnitude, size)),
                           static_cast<std::uint8_t>(head.symbol >> 4), static_cast<std::uint8_t>(total)};
  }
}

void HuffmanTable::prepare_skips() {
  if (skips_ready_) return;
  skips_ready_ = true;
  for (std::uint32_t bits = 0; bits < skips_.size(); ++bits) {
    int consumed = 0;
    int moved = 0;
    bool ends = false;
    while (!ends && consumed < kSkipBits) {
      const int available = kSkipBits - consumed;
      const Short head = symbol_at(bits & ((1u << available) - 1), available);
      const int size = head.symbol & 15;
      const int run = head.symbol >> 4;
      const int advance = size != 0 || run == 15 ? run + 1 : 0;
      if (head.bits == 0 || head.bits + size > available || moved + advance > 63) break;
      consumed += head.bits + size;
      moved += advance;
      ends = advance == 0;
    }
    skips_[bits] = Skip(consumed, moved, ends);
  }
}

}  // namespace dermlet::jpeg
