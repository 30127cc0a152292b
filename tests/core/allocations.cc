#include "allocations.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

std::size_t in_use = 0;
std::size_t most_in_use = 0;

void count(std::size_t more) {
  in_use += more;
  most_in_use = std::max(most_in_use, in_use);
}

void uncount(std::size_t less) {
  in_use -= std::min(less, in_use);
}  // blocks of before the count began are freed as well

}  // namespace

namespace dermlet::testing {

void begin_counting() { in_use = most_in_use = 0; }

std::size_t most_allocated() { return most_in_use; }

}  // namespace dermlet::testing

extern "C" {
void* __real_malloc(std::size_t);
void* __real_calloc(std::size_t, std::size_t);
void* __real_realloc(void*, std::size_t);
void __real_free(void*);

void* __wrap_malloc(std::size_t bytes) {
  void* block = __real_malloc(bytes);
  count(malloc_usable_size(block));
  return block;
}

void* __wrap_calloc(std::size_t number, std::size_t bytes) {
  void* block = __real_calloc(number, bytes);
  count(malloc_usable_size(block));
  return block;
}

// Both blocks are there while the bytes move.
void* __wrap_realloc(void* block, std::size_t bytes) {
  const std::size_t before = malloc_usable_size(block);
  void* moved = __real_realloc(block, bytes);
  count(malloc_usable_size(moved));
  if (moved != nullptr) uncount(before);
  return moved;
}

void __wrap_free(void* block) {
  uncount(malloc_usable_size(block));
  __real_free(block);
}
}

void* operator new(std::size_t bytes) {
  void* block = std::malloc(bytes == 0 ? 1 : bytes);
  if (block == nullptr) std::abort();
  return block;
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return std::malloc(bytes == 0 ? 1 : bytes); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { std::free(block); }
