#include "formats/jpeg/huffman.h"

#include <algorithm>

namespace dermlet::jpeg {
namespace {

using Counts = std::array<std::uint8_t, 16>;

// Tables K.3 and K.4: how many codes of each length; the symbols are 0 to 11.
constexpr std::array<Counts, 2> kDcCounts = {
    {{0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0}, {0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0}}};
constexpr std::array<std::uint8_t, 12> kDcSymbols = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

// Tables K.5 and K.6. Codes of up to 15 bits by their symbols; those of 16 bits have the symbols that are left, in
// order.
constexpr std::array<Counts, 2> kAcCounts = {
    {{0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125}, {0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119}}};
constexpr std::array<std::uint8_t, 37> kLumaAcSymbols = {
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71, 0x14,
    0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0, 0x24, 0x33, 0x62, 0x72, 0x82,
};
constexpr std::array<std::uint8_t, 43> kChromaAcSymbols = {
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61,
    0x71, 0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xA1, 0xB1, 0xC1, 0x09, 0x23, 0x33,
    0x52, 0xF0, 0x15, 0x62, 0x72, 0xD1, 0x0A, 0x16, 0x24, 0x34, 0xE1, 0x25, 0xF1,
};

}  // namespace

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

void HuffmanTable::build_standard(Kind kind, bool chroma) {
  const std::size_t which = chroma ? 1 : 0;
  if (kind == Kind::kDc) {
    (void)build(kind, kDcCounts[which], kDcSymbols);
    return;
  }
  const Bytes frequent = chroma ? Bytes(kChromaAcSymbols) : Bytes(kLumaAcSymbols);
  std::array<std::uint8_t, 162> symbols{};
  auto to = std::copy(frequent.begin(), frequent.end(), symbols.begin());
  for (unsigned symbol = 0; symbol < 256; ++symbol) {
    const unsigned size = symbol & 15;
    const bool valid = size == 0 ? symbol == 0 || symbol == 0xF0 : size <= 10;
    if (valid && std::find(frequent.begin(), frequent.end(), symbol) == frequent.end())
      *to++ = static_cast<std::uint8_t>(symbol);
  }
  (void)build(kind, kAcCounts[which], symbols);
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
