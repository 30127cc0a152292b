// The one translation unit that compiles stb_image.
#include <cstdlib>

#include "formats/stb.h"

namespace dermlet {
namespace {

thread_local std::size_t left = 0;
thread_local bool was_refused = false;

void* allocate(std::size_t bytes) {
  void* block = bytes <= left ? std::malloc(bytes) : nullptr;
  if (block == nullptr) {
    was_refused = true;
  } else {
    left -= bytes;
  }
  return block;
}

void* reallocate(void* block, std::size_t old_bytes, std::size_t bytes) {
  const std::size_t more = bytes > old_bytes ? bytes - old_bytes : 0;
  void* moved = more <= left ? std::realloc(block, bytes) : nullptr;
  if (moved == nullptr) {
    was_refused = true;
  } else {
    left -= more;
  }
  return moved;
}

}  // namespace
}  // namespace dermlet

#define STBI_MALLOC(bytes) dermlet::allocate(bytes)
#define STBI_REALLOC_SIZED(block, old_bytes, bytes) dermlet::reallocate(block, old_bytes, bytes)
#define STBI_REALLOC(block, bytes) dermlet::reallocate(block, 0, bytes)
#define STBI_FREE(block) std::free(block)
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_NO_FAILURE_STRINGS  // half a kilobyte that no user reads
#define STBI_MAX_DIMENSIONS 65535
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>

namespace dermlet {

StbPicture stb_decode(Bytes bytes, std::size_t budget) {
  left = budget;
  was_refused = false;
  StbPicture picture;
  picture.pixels = stbi_load_from_memory(bytes.data(), static_cast<int>(bytes.size()), &picture.width, &picture.height,
                                         &picture.channels, 0);
  picture.refused = was_refused;
  left = 0;
  return picture;
}

Buffer<std::uint8_t> stb_inflate(Bytes zlib, std::size_t budget) {
  left = budget;
  int size = 0;
  constexpr int kFirstGuess = 4096;  // doubled as needed
  char* data = stbi_zlib_decode_malloc_guesssize(reinterpret_cast<const char*>(zlib.data()),
                                                 static_cast<int>(zlib.size()), kFirstGuess, &size);
  left = 0;
  return data == nullptr
             ? Buffer<std::uint8_t>()
             : Buffer<std::uint8_t>::adopt(reinterpret_cast<std::uint8_t*>(data), static_cast<std::size_t>(size));
}

}  // namespace dermlet
