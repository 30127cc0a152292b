// Four numbers at once, in the compiler's own vectors: SSE2, NEON or WebAssembly's. A build without vector instructions
// (DERMLET_SCALAR) has none of it.
#pragma once

#ifndef DERMLET_SCALAR

#include <cstdint>
#include <cstring>

namespace dermlet {

using Four [[gnu::vector_size(16)]] = std::int32_t;

inline Four four_numbers(const std::int32_t* from) {
  Four numbers;
  std::memcpy(&numbers, from, sizeof numbers);
  return numbers;
}

// Four bytes, widened.
inline Four four_bytes(const std::uint8_t* from) {
  using FourBytes [[gnu::vector_size(4)]] = std::uint8_t;
  FourBytes bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return __builtin_convertvector(bytes, Four);
}

// The nearest within 0..255.
inline Four clamped(Four v) {
  v &= v > 0;
  return v < 255 ? v : Four{255, 255, 255, 255};
}

}  // namespace dermlet

#endif
