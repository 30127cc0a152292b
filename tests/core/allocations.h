// How much memory is allocated at one time: every call to malloc and its kin is counted, which the linker hands over
// (--wrap, CMakeLists.txt), and every operator new.
#pragma once

#include <cstddef>

namespace dermlet::testing {

void begin_counting();

// Bytes in use at the worst moment since then, of what was allocated since then.
[[nodiscard]] std::size_t most_allocated();

}  // namespace dermlet::testing
