// The one translation unit that compiles stb_image: JPEG, PNG and BMP from memory only, allocating through StbBudget.
#include <cstdlib>

#include "stb_budget.h"

#define STBI_MALLOC(bytes) dermlet::stb_allocate(bytes)
#define STBI_REALLOC_SIZED(block, old_bytes, bytes) dermlet::stb_reallocate(block, old_bytes, bytes)
#define STBI_REALLOC(block, bytes) dermlet::stb_reallocate(block, 0, bytes)
#define STBI_FREE(block) std::free(block)
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_MAX_DIMENSIONS 65535
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>

namespace dermlet {
namespace {

thread_local std::size_t left = 0;
thread_local bool was_refused = false;

}  // namespace

StbBudget::StbBudget(std::size_t bytes) {
  left = bytes;
  was_refused = false;
}

StbBudget::~StbBudget() { left = 0; }

bool StbBudget::refused() const { return was_refused; }

void* stb_allocate(std::size_t bytes) {
  void* block = bytes <= left ? std::malloc(bytes) : nullptr;
  if (block == nullptr) {
    was_refused = true;
  } else {
    left -= bytes;
  }
  return block;
}

void* stb_reallocate(void* block, std::size_t old_bytes, std::size_t bytes) {
  const std::size_t more = bytes > old_bytes ? bytes - old_bytes : 0;
  void* moved = more <= left ? std::realloc(block, bytes) : nullptr;
  if (moved == nullptr) {
    was_refused = true;
  } else {
    left -= more;
  }
  return moved;
}

}  // namespace dermlet
