// The nearest of 100,000 embeddings of 1280 features, as the shipped networks have. The aim is 20 ms at most. Part of
// stages_bench.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "learn/atlas.h"

namespace {

constexpr std::size_t kCases = 100'000;
constexpr std::size_t kWidth = 1280;

void nearest_of_100000(benchmark::State& state) {
  std::mt19937 random(1);
  std::vector<std::int8_t> vectors(kCases * kWidth);
  for (auto& v : vectors) v = static_cast<std::int8_t>(random() % 255);
  const std::vector<float> scales(kCases, 1.0f / 127);
  std::vector<float> query(kWidth);
  for (float& v : query) v = static_cast<float>(random() % 1000);
  for (auto _ : state) {
    const auto found = dermlet::nearest({vectors, scales}, query, 10);
    benchmark::DoNotOptimize(found->front());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kCases));
}
BENCHMARK(nearest_of_100000)->Unit(benchmark::kMillisecond);

}  // namespace
