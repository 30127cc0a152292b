// Any bytes as a rejection model: an error, or a model whose sizes agree and whose score of any embedding is finite or
// an error.
#include <cmath>
#include <cstdlib>

#include "decision/rejection.h"

using namespace dermlet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto model = read_rejection_model(Bytes(data, size));
  if (!model) return 0;
  const std::size_t points = model->inside_points + model->outside_points;
  if (model->values.size() != model->embedding_size * (1 + model->projected_size) + points * model->projected_size)
    std::abort();
  if (model->neighbour < 1 || model->neighbour > model->inside_points) std::abort();
  std::vector<float> embedding(model->embedding_size);
  for (std::size_t i = 0; i < embedding.size(); ++i) embedding[i] = static_cast<float>(data[i % size]) / 16;
  const std::vector<float> logits = {embedding.front(), 1, -embedding.back()};
  const auto score = rejection_score(*model, logits, embedding);
  if (score && !std::isfinite(*score)) std::abort();
  embedding.push_back(0);
  if (rejection_score(*model, logits, embedding)) std::abort();
  return 0;
}
