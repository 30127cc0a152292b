// Owned pixels. Large memory is allocated here and nowhere else, so that "no memory" is an error and never an abort.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <type_traits>

#include "expected.h"

namespace dermlet {

// A fixed number of plain values on the heap. Moves, never copies silently.
template <typename T>
  requires std::is_trivially_copyable_v<T>
class Buffer {
 public:
  Buffer() = default;

  // Values are not initialised. Errors: kImageTooLarge when the product overflows or there is no memory.
  [[nodiscard]] static Expected<Buffer> allocate(std::size_t count, std::size_t times = 1) {
    if (times != 0 && count > SIZE_MAX / sizeof(T) / times)
      return fail(ErrorCode::kImageTooLarge, "the picture needs more memory than can be addressed");
    const std::size_t size = count * times;
    T* data = static_cast<T*>(std::malloc(size == 0 ? 1 : size * sizeof(T)));
    if (data == nullptr) return fail(ErrorCode::kImageTooLarge, "not enough memory for the picture");
    return adopt(data, size);
  }

  // Takes over memory that came from malloc.
  [[nodiscard]] static Buffer adopt(T* data, std::size_t size) {
    Buffer buffer;
    buffer.data_.reset(data);
    buffer.size_ = size;
    return buffer;
  }

  [[nodiscard]] T* data() { return data_.get(); }
  [[nodiscard]] const T* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::span<T> span() { return {data_.get(), size_}; }
  [[nodiscard]] std::span<const T> span() const { return {data_.get(), size_}; }

 private:
  struct Free {
    void operator()(T* data) const { std::free(data); }
  };
  std::unique_ptr<T[], Free> data_;
  std::size_t size_ = 0;
};

// 8-bit pixels, channels interleaved, rows from the top without padding.
struct Image {
  int width = 0;
  int height = 0;
  int channels = 0;  // 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA
  Buffer<std::uint8_t> pixels;

  [[nodiscard]] static Expected<Image> allocate(int width, int height, int channels) {
    DERMLET_TRY(pixels,
                Buffer<std::uint8_t>::allocate(static_cast<std::size_t>(width) * static_cast<std::size_t>(height),
                                               static_cast<std::size_t>(channels)));
    return Image{width, height, channels, std::move(pixels)};
  }

  [[nodiscard]] bool empty() const { return pixels.empty(); }
  [[nodiscard]] std::size_t stride() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  }
  [[nodiscard]] const std::uint8_t* row(int y) const { return pixels.data() + stride() * static_cast<std::size_t>(y); }
  [[nodiscard]] std::uint8_t* row(int y) { return pixels.data() + stride() * static_cast<std::size_t>(y); }
};

}  // namespace dermlet
