// What several tests need: files of the repository, noise, small pictures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "image.h"

namespace dermlet::testing {

inline std::filesystem::path tests_dir() { return DERMLET_TESTS_DIR; }

inline std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::vector<std::uint8_t> picture_bytes(const std::string& name) {
  return read_file(tests_dir() / "pictures" / name);
}

inline std::vector<std::uint8_t> from_hex(const std::string& hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

// The generator of tests/golden/make_goldens.py.
inline Image noise(int width, int height, std::uint32_t seed) {
  Image image = Image::allocate(width, height, 3).value();
  for (std::uint8_t& value : image.pixels.span()) {
    seed = seed * 1664525u + 1013904223u;
    const unsigned byte = seed >> 24;
    value = static_cast<std::uint8_t>(byte < 48 ? 0 : byte > 208 ? 255 : byte);
  }
  return image;
}

inline Image image_of(int width, int height, int channels, const std::vector<std::uint8_t>& values) {
  Image image = Image::allocate(width, height, channels).value();
  std::copy(values.begin(), values.end(), image.pixels.data());
  return image;
}

inline std::vector<std::uint8_t> values_of(const Image& image) {
  return {image.pixels.data(), image.pixels.data() + image.pixels.size()};
}

}  // namespace dermlet::testing
