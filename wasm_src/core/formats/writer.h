// Writes values one after another into a buffer that is large enough.
#pragma once

#include <algorithm>
#include <cstdint>

#include "bytes.h"
#include "image.h"

namespace dermlet {

class Writer {
 public:
  explicit Writer(Buffer<std::uint8_t>& buffer) : to_(buffer.data()) {}

  void copy(Bytes bytes) { to_ = std::copy(bytes.begin(), bytes.end(), to_); }
  void zeros(std::size_t count) { to_ = std::fill_n(to_, count, std::uint8_t{0}); }
  void u8(std::uint32_t value) { *to_++ = static_cast<std::uint8_t>(value); }
  void u32_big(std::uint32_t value) { u8(value >> 24), u8(value >> 16), u8(value >> 8), u8(value); }

 private:
  std::uint8_t* to_;
};

}  // namespace dermlet
