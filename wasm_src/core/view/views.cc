#include "view/views.h"

#include <algorithm>

#include "decision/heatmap.h"

namespace dermlet {
namespace {

// The mean of `views` rows of equal length, value by value; place(view, i) is where value i of a view belongs.
template <typename Place>
std::vector<float> mean_of(std::span<const float> values, int views, Place place) {
  const std::size_t count = values.size() / static_cast<std::size_t>(views);
  std::vector<double> sums(count);
  for (std::size_t i = 0; i < values.size(); ++i) sums[place(static_cast<int>(i / count), i % count)] += values[i];
  std::vector<float> means(count);
  std::transform(sums.begin(), sums.end(), means.begin(), [&](double sum) { return static_cast<float>(sum / views); });
  return means;
}

}  // namespace

Expected<Buffer<float>> to_tensor(const Image& upright, const TensorSpec& spec, int views) {
  if (!views_fit(views, spec.width, spec.height))
    return fail(ErrorCode::kInvalidArgument, "there are 1, 4 or, of a square, 8 views");
  auto first = to_tensor(upright, spec);
  if (!first || views == 1) return first;
  DERMLET_TRY(tensor, Buffer<float>::allocate(first->size(), static_cast<std::size_t>(views)));
  const bool planar = spec.layout == Layout::kNchw;
  const std::size_t area = first->size() / 3;
  const std::size_t pixel = planar ? 1 : 3;     // steps from pixel to pixel
  const std::size_t plane = planar ? area : 1;  // and from channel to channel
  float* to = tensor.data();
  for (int view = 0; view < views; ++view, to += first->size()) {
    std::size_t i = 0;
    for (int y = 0; y < spec.height; ++y) {
      for (int x = 0; x < spec.width; ++x, ++i) {
        const std::size_t from = upright_place(view, x, y, spec.width, spec.height);
        for (std::size_t c = 0; c < 3; ++c) to[i * pixel + c * plane] = first->data()[from * pixel + c * plane];
      }
    }
  }
  return tensor;
}

Expected<MeanOutputs> average_views(const ModelOutputs& outputs, bool with_maps) {
  const int views = outputs.views;
  const auto count = static_cast<std::size_t>(views);
  const int width = outputs.map_width;
  const int height = outputs.map_height;
  const bool maps = with_maps && !outputs.maps.empty();
  if (!(views == 1 || views == 4 || views == 8)) return fail(ErrorCode::kInvalidArgument, "there are 1, 4 or 8 views");
  if (outputs.logits.size() % count != 0 || outputs.embedding.size() % count != 0)
    return fail(ErrorCode::kInvalidArgument, "the outputs do not fit the views");
  if (maps && (!views_fit(views, width, height) || width < 1 || height < 1 || width > kMaxGrid || height > kMaxGrid)) {
    return fail(ErrorCode::kInvalidArgument, "the activation maps' shape does not fit the views");
  }
  const std::size_t cells = maps ? static_cast<std::size_t>(width) * static_cast<std::size_t>(height) : 0;
  if (maps && (outputs.maps.size() % cells != 0 || outputs.maps.size() / cells != outputs.logits.size()))
    return fail(ErrorCode::kInvalidArgument, "the activation maps have the wrong length");
  const auto itself = [](int, std::size_t i) { return i; };
  const auto upright = [&](int view, std::size_t i) {
    const auto cell = static_cast<int>(i % cells);
    return i - i % cells + upright_place(view, cell % width, cell / width, width, height);
  };
  return MeanOutputs{mean_of(outputs.logits, views, itself),
                     maps ? mean_of(outputs.maps, views, upright) : std::vector<float>(),
                     mean_of(outputs.embedding, views, itself)};
}

}  // namespace dermlet
