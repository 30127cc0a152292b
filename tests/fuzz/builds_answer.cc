// All that prepare() says of an input, as bytes. Compiled into each of the builds that builds_fuzz.cc compares, in a
// namespace of its own.
#include <cstring>

#include "input.h"

namespace dermlet {
namespace {

template <typename T>
void append(std::vector<std::uint8_t>& answer, std::span<const T> values) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(values.data());
  answer.insert(answer.end(), first, first + values.size_bytes());
}

void append(std::vector<std::uint8_t>& answer, std::initializer_list<int> values) {
  append(answer, std::span<const int>(values.begin(), values.size()));
}

}  // namespace

std::vector<std::uint8_t> answer(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> bytes;
  const auto file = with_checksums({data, size});
  const auto prepared = prepare_requested(file, request_from({data, size}));
  if (!prepared) {
    const auto& [code, message] = prepared.error();
    append(bytes, {static_cast<int>(code)});
    bytes.insert(bytes.end(), message.begin(), message.end());
    return bytes;
  }
  const auto& [region, source] = std::pair(prepared->region, prepared->source);
  append(bytes, {region.x, region.y, region.width, region.height, source.width, source.height, source.orientation,
                 static_cast<int>(source.colour), prepared->quality.usable});
  for (const QualityCheck& check : prepared->quality.checks) append(bytes, std::span<const float>(&check.value, 1));
  append(bytes, prepared->tensor.span());
  append(bytes, prepared->whole.span());
  append(bytes, prepared->view.pixels.span());
  append(bytes, prepared->preview.pixels.span());
  return bytes;
}

}  // namespace dermlet
