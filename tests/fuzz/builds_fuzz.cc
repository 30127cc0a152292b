// Two builds of the core in one program, one optimised into vector instructions and one without any: any bytes must
// give the same tensor, view, preview, quality and error from both, to the bit.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "formats/inspect.h"
#include "input.h"

namespace dermlet_scalar {
std::vector<std::uint8_t> answer(const std::uint8_t* data, std::size_t size);
}
namespace dermlet_vector {
std::vector<std::uint8_t> answer(const std::uint8_t* data, std::size_t size);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < dermlet::kOptionBytes) return 0;
  const auto header = dermlet::inspect({data, size});
  if (header && static_cast<std::int64_t>(header->width) * header->height > 30'000) return 0;
  if (dermlet_scalar::answer(data, size) != dermlet_vector::answer(data, size)) std::abort();
  return 0;
}
