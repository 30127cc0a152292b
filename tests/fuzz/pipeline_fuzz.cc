// The whole way from bytes to tensor; the last bytes choose options.
#include <cmath>
#include <cstdlib>

#include "formats/inspect.h"
#include "input.h"

using namespace dermlet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kOptionBytes) return 0;
  const Request request = request_from({data, size});
  const PrepareSpec& spec = request.spec;
  const auto file = with_checksums({data, size});
  const auto header = inspect(file);
  if (header && static_cast<std::int64_t>(header->width) * header->height > 300'000) return 0;
  const auto prepared = prepare_requested(file, request);
  if (!prepared) return 0;
  if (!views_fit(spec.views, spec.tensor.width, spec.tensor.height)) std::abort();
  const auto views = static_cast<std::size_t>(spec.views);
  if (prepared->tensor.size() !=
      views * static_cast<std::size_t>(spec.tensor.width) * static_cast<std::size_t>(spec.tensor.height) * 3)
    std::abort();
  for (const float v : prepared->tensor.span()) {
    if (!(v >= -1 && v <= 1)) std::abort();
  }
  const std::size_t values_of_whole = spec.whole ? static_cast<std::size_t>(spec.whole->tensor.width) *
                                                       static_cast<std::size_t>(spec.whole->tensor.height) * 3
                                                 : 0;
  if (prepared->whole.size() != values_of_whole) std::abort();
  if (!lies_inside(prepared->region, prepared->source.width, prepared->source.height)) std::abort();
  return 0;
}
