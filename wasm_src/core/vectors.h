// Four numbers at once, in the compiler's own vectors: SSE2, NEON or WebAssembly's. A build without vector instructions
// (DERMLET_SCALAR) has none of it.
#pragma once

#ifndef DERMLET_SCALAR

#include <cstdint>
#include <cstring>

namespace dermlet {

using Four [[gnu::vector_size(16)]] = std::int32_t;

// Four bytes, widened.
inline Four four_bytes(const std::uint8_t* from) {
  using Bytes [[gnu::vector_size(4)]] = std::uint8_t;
  Bytes bytes;
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
