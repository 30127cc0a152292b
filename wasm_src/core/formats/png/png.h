// PNG (ISO/IEC 15948): its chunks, its header and its palette. stb_image decodes the pixels.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "formats/header.h"

namespace dermlet {

struct PngChunk {
  Bytes type_and_data;
  std::uint32_t checksum = 0;  // as stored
  std::size_t at = 0;          // where it begins: its length, then its type
  std::size_t end = 0;         // where the next one begins

  [[nodiscard]] bool is(std::string_view type) const { return starts_with(type_and_data, type); }
  [[nodiscard]] Bytes data() const { return type_and_data.subspan(4); }
  [[nodiscard]] bool critical() const { return (type_and_data[0] & 0x20) == 0; }
  // Whether type and data match the checksum, of which every byte is read.
  [[nodiscard]] bool intact() const;
};

inline constexpr std::size_t kFirstPngChunk = 8;

// The chunk that begins at `at`; nothing when the file ends before it does.
[[nodiscard]] std::optional<PngChunk> read_png_chunk(Bytes file, std::size_t at);

// The first chunk of a type before the first of another; nothing when there is none.
[[nodiscard]] std::optional<PngChunk> find_png_chunk(Bytes file, std::string_view type, std::string_view before);

// The checksum of a chunk's type and data.
[[nodiscard]] std::uint32_t png_crc32(Bytes type_and_data);

// Walks all chunks and checks their order where it matters. `bytes` begin with the format's signature. Allocates only
// the copy of the profile. Errors: kCorruptImage, kUnsupportedFormat, kImageTooLarge.
[[nodiscard]] Expected<Header> read_png_header(Bytes bytes);

// What the chunks before the picture's data say; one that does not match its checksum is unreadable.
[[nodiscard]] ColourDescription read_png_colours(Bytes file);

// The checksums of all chunks without which there is no picture: every byte is read, and stb_image checks none. `bytes`
// as read_png_header() accepted them. Errors: kCorruptImage.
[[nodiscard]] Expected<void> check_png_checksums(Bytes bytes);

// The file with a palette of 256 colours; empty when it is fine as it is. What the palette lacks is black, as browsers
// show it: stb_image keeps it in memory that it does not clear, so that a pixel naming such a colour shows what
// happened to lie there. `bytes` as read_png_header() accepted them. Errors: kImageTooLarge (no memory).
[[nodiscard]] Expected<Buffer<std::uint8_t>> complete_png_palette(Bytes bytes);

}  // namespace dermlet
