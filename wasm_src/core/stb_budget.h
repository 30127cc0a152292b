// The allocator behind stb_image: every byte it asks for is taken from a budget that the caller derived from the picture's header, so that a file whose
// data does not fit its header (a decompression bomb) is refused instead of filling memory.
//
// stb_image offers macros for its allocator and no way to pass a context, so the budget is per thread; it is set for the length of one decode only.
#pragma once

#include <cstddef>

namespace dermlet {

class StbBudget {
 public:
  explicit StbBudget(std::size_t bytes);
  ~StbBudget();
  StbBudget(const StbBudget&) = delete;
  StbBudget& operator=(const StbBudget&) = delete;

  // Whether a request was refused, by the budget or for want of memory.
  [[nodiscard]] bool refused() const;
};

void* stb_allocate(std::size_t bytes);
void* stb_reallocate(void* block, std::size_t old_bytes, std::size_t bytes);

}  // namespace dermlet
