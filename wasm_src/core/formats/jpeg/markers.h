// JPEG marker segments (ITU-T T.81 annex B), shared by the header reader and the decoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "bytes.h"
#include "expected.h"

namespace dermlet::jpeg {

inline constexpr std::uint8_t kSof0 = 0xC0;
inline constexpr std::uint8_t kSof1 = 0xC1;
inline constexpr std::uint8_t kSof2 = 0xC2;
inline constexpr std::uint8_t kDht = 0xC4;
inline constexpr std::uint8_t kJpg = 0xC8;
inline constexpr std::uint8_t kDac = 0xCC;
inline constexpr std::uint8_t kRst0 = 0xD0;
inline constexpr std::uint8_t kRst7 = 0xD7;
inline constexpr std::uint8_t kSoi = 0xD8;
inline constexpr std::uint8_t kEoi = 0xD9;
inline constexpr std::uint8_t kSos = 0xDA;
inline constexpr std::uint8_t kDqt = 0xDB;
inline constexpr std::uint8_t kDnl = 0xDC;
inline constexpr std::uint8_t kDri = 0xDD;
inline constexpr std::uint8_t kApp0 = 0xE0;
inline constexpr std::uint8_t kApp1 = 0xE1;
inline constexpr std::uint8_t kApp2 = 0xE2;
inline constexpr std::uint8_t kApp14 = 0xEE;
inline constexpr std::uint8_t kCom = 0xFE;

[[nodiscard]] constexpr bool is_restart(std::uint8_t marker) { return marker >= kRst0 && marker <= kRst7; }
[[nodiscard]] constexpr bool is_application(std::uint8_t marker) { return marker >= kApp0 && marker <= 0xEF; }
[[nodiscard]] constexpr bool is_frame(std::uint8_t marker) {
  return marker >= kSof0 && marker <= 0xCF && marker != kDht && marker != kJpg && marker != kDac;
}

struct Segment {
  std::uint8_t marker = 0;
  Bytes payload;        // empty for markers that stand alone
  std::size_t end = 0;  // where the next one is looked for
};

// The next marker at or after `at`, past fill bytes, stuffed zeros and stray bytes; restart markers only if
// requested.
[[nodiscard]] std::optional<std::size_t> find_marker(Bytes bytes, std::size_t at, bool restarts);

// The next segment; nothing when the bytes end before another marker. Errors: kCorruptImage (a segment that does not
// fit).
[[nodiscard]] Expected<std::optional<Segment>> next_segment(Bytes bytes, std::size_t at);

struct FrameComponent {
  std::uint8_t id = 0;
  int h = 1;  // sampling factors, 1-4
  int v = 1;
  int table = 0;  // quantisation table, 0-3
};

struct Frame {
  bool progressive = false;
  int width = 0;
  int height = 0;
  int count = 0;  // components: 1, 3 or 4
  FrameComponent components[4];
};

// Reads a frame header. Errors: kUnsupportedFormat (named), kCorruptImage.
[[nodiscard]] Expected<Frame> read_frame(const Segment& segment);

}  // namespace dermlet::jpeg
