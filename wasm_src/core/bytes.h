// Bounds-checked reading of untrusted bytes. Every read says whether it was inside; none throws, none reads outside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace dermlet {

using Bytes = std::span<const std::uint8_t>;

enum class ByteOrder : std::uint8_t { kBig, kLittle };

[[nodiscard]] inline std::optional<std::uint8_t> read_u8(Bytes bytes, std::size_t at) {
  if (at >= bytes.size()) return {};
  return bytes[at];
}

[[nodiscard]] inline std::optional<std::uint16_t> read_u16(Bytes bytes, std::size_t at, ByteOrder order) {
  if (bytes.size() < 2 || at > bytes.size() - 2) return {};
  const unsigned a = bytes[at];
  const unsigned b = bytes[at + 1];
  return static_cast<std::uint16_t>(order == ByteOrder::kBig ? a << 8 | b : b << 8 | a);
}

[[nodiscard]] inline std::optional<std::uint32_t> read_u32(Bytes bytes, std::size_t at, ByteOrder order) {
  if (bytes.size() < 4 || at > bytes.size() - 4) return {};
  const std::uint32_t a = *read_u16(bytes, at, order);
  const std::uint32_t b = *read_u16(bytes, at + 2, order);
  return order == ByteOrder::kBig ? a << 16 | b : b << 16 | a;
}

// The part of `bytes` from `at` that is at most `length` long; empty when `at` lies outside.
[[nodiscard]] inline Bytes slice(Bytes bytes, std::size_t at, std::size_t length = SIZE_MAX) {
  if (at >= bytes.size()) return {};
  return bytes.subspan(at, length < bytes.size() - at ? length : bytes.size() - at);
}

[[nodiscard]] inline bool starts_with(Bytes bytes, std::string_view magic, std::size_t at = 0) {
  const Bytes part = slice(bytes, at, magic.size());
  if (part.size() != magic.size()) return false;
  for (std::size_t i = 0; i < magic.size(); ++i) {
    if (part[i] != static_cast<std::uint8_t>(magic[i])) return false;
  }
  return true;
}

}  // namespace dermlet
