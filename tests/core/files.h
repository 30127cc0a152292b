// Files made byte by byte, for tests of what no encoder would write.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "formats/header.h"
#include "formats/png/png.h"

namespace dermlet::testing {

#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kSanitized = __has_feature(address_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

// Numbers are written with their highest byte first.
class File {
 public:
  File() = default;
  explicit File(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  explicit File(Bytes bytes) : bytes_(bytes.begin(), bytes.end()) {}

  File& u8(std::uint32_t value) { return bytes_.push_back(static_cast<std::uint8_t>(value)), *this; }
  File& u16(std::uint32_t value) { return u8(value >> 8).u8(value); }
  File& u32(std::uint32_t value) { return u16(value >> 16).u16(value); }
  File& zeros(std::size_t count) { return bytes_.resize(bytes_.size() + count), *this; }
  File& text(std::string_view text) {
    for (const char letter : text) bytes_.push_back(static_cast<std::uint8_t>(letter));
    return *this;
  }
  File& add(const File& other) {
    for (const std::uint8_t byte : other.bytes_) bytes_.push_back(byte);
    return *this;
  }

  // Of a PNG, with its checksum.
  File& chunk(std::string_view type, const File& data) {
    const std::size_t at = bytes_.size() + 4;
    u32(static_cast<std::uint32_t>(data.bytes_.size())).text(type).add(data);
    return u32(png_crc32(Bytes(bytes_).subspan(at)));
  }

  // Of a JPEG; markers that stand alone have no length.
  File& segment(std::uint8_t marker, const File& payload) {
    u8(0xFF).u8(marker);
    if (marker == 0xD8 || marker == 0xD9) return *this;
    return u16(static_cast<std::uint32_t>(payload.bytes_.size() + 2)).add(payload);
  }

  [[nodiscard]] Bytes bytes() const { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

inline File jpeg_start() { return File().segment(0xD8, {}); }

// Huffman tables of one code of one bit, 0: a DC difference of nothing, and an AC symbol: an end-of-band run of 16,384
// blocks (its 14 bits are zeros too), in baseline the end of a block where `run` is 0.
inline File tables(std::uint8_t run = 0xE0) {
  File dc, ac;
  dc.u8(0x00).u8(1).zeros(15).u8(0);
  ac.u8(0x10).u8(1).zeros(15).u8(run);
  return File().segment(0xC4, dc).segment(0xC4, ac);
}

inline File quantisation() {
  File table;
  table.u8(0);
  for (int i = 0; i < 64; ++i) table.u8(1);
  return File().segment(0xDB, table);
}

// Three channels, 4:2:0, one table each of a kind.
inline File colour_jpeg_frame(int width, int height, bool progressive) {
  File frame;
  frame.u8(8).u16(static_cast<std::uint32_t>(height)).u16(static_cast<std::uint32_t>(width)).u8(3);
  frame.u8(1).u8(0x22).u8(0).u8(2).u8(0x11).u8(0).u8(3).u8(0x11).u8(0);
  return File().add(quantisation()).segment(progressive ? 0xC2 : 0xC0, frame).add(tables(progressive ? 0xE0 : 0));
}

inline File three_channel_scan(std::uint8_t first, std::uint8_t last) {
  return File().segment(0xDA, File().u8(3).u8(1).u8(0).u8(2).u8(0).u8(3).u8(0).u8(first).u8(last).u8(0));
}

inline File one_channel_scan(int id, std::uint8_t first, std::uint8_t last) {
  return File().segment(0xDA, File().u8(1).u8(static_cast<std::uint32_t>(id)).u8(0).u8(first).u8(last).u8(0));
}

// What follows a JPEG's beginning where it is grey: tables, frame, scan, and `count` bytes of four blocks each.
inline File grey_jpeg_rest(int width, int height, std::size_t count) {
  const File frame = File()
                         .u8(8)
                         .u16(static_cast<std::uint32_t>(height))
                         .u16(static_cast<std::uint32_t>(width))
                         .u8(1)
                         .u8(1)
                         .u8(0x11)
                         .u8(0);
  return File().add(quantisation()).segment(0xC0, frame).add(tables(0)).add(one_channel_scan(1, 0, 63)).zeros(count);
}

}  // namespace dermlet::testing
