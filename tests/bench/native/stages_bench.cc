// Every stage from bytes to tensor by itself, with bytes a second, and libjpeg-turbo's scaled decode beside the core's
// (Google Benchmark).
//   stages_bench [--benchmark_...] TESTS/PICTURES PHOTO.jpg...
// Stages that read a file count the file's bytes, stages that work on pixels count those they are given.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "colour/colour.h"
#include "colour/icc.h"
#include "formats/exif.h"
#include "formats/inspect.h"
#include "formats/jpeg/jpeg.h"
#include "formats/jpeg/markers.h"
#include "formats/sniff.h"
#include "geometry/orientation.h"
#include "geometry/resample.h"
#include "pipeline.h"
#include "scaled_jpeg.h"
#include "view/quality.h"
#include "view/tensor.h"

namespace {

using namespace dermlet;
using File = std::vector<std::uint8_t>;

constexpr int kInput = 192;  // a side of the network's input, as skin-8's
constexpr int kReductions[] = {1, 2, 4, 8};

File read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void count_bytes(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

// The content of a JPEG's first segment of this kind after its signature; empty when there is none.
Bytes segment_of(Bytes file, std::uint8_t marker, std::size_t signature) {
  for (std::size_t at = 2;;) {
    const auto segment = jpeg::next_segment(file, at);
    if (!segment || !*segment || (*segment)->marker == jpeg::kSos) return {};
    if ((*segment)->marker == marker && (*segment)->payload.size() > signature)
      return (*segment)->payload.subspan(signature);
    at = (*segment)->end;
  }
}

TensorSpec tensor_spec() {
  TensorSpec spec;
  spec.width = spec.height = kInput;
  spec.mean = {127, 127, 127};
  spec.std = {128, 128, 128};
  return spec;
}

Rect whole_of(const Header& header) { return {0, 0, header.width, header.height}; }

// The network's square of a photo at a reduction, as the pipeline decodes it.
Reduced square_of(const File& file, int reduction) {
  const Header header = inspect(file).value();
  return decode_jpeg(file, fitted_region(whole_of(header), 1, 1, Fit::kCover), reduction).value();
}

void sniff_stage(benchmark::State& state, const File& file) {
  for (auto _ : state) benchmark::DoNotOptimize(sniff(file));
}

void header_stage(benchmark::State& state, const File& file) {
  for (auto _ : state) benchmark::DoNotOptimize(inspect(file));
}

void exif_stage(benchmark::State& state, const File& file) {
  const Bytes tiff = segment_of(file, jpeg::kApp1, 6);
  if (tiff.empty()) return state.SkipWithError("no EXIF");
  for (auto _ : state) benchmark::DoNotOptimize(read_orientation(tiff));
  count_bytes(state, tiff.size());
}

void icc_stage(benchmark::State& state, const File& file) {
  const Bytes icc = segment_of(file, jpeg::kApp2, 14);
  Profile profile;
  if (!read_profile(icc, profile)) return state.SkipWithError("no profile");
  Converter converter = Converter::allocate().value();
  for (auto _ : state) benchmark::DoNotOptimize(read_profile(icc, profile) && converter.set(std::move(profile)));
  count_bytes(state, icc.size());
}

void decode_stage(benchmark::State& state, const File& file, int reduction) {
  const Header header = inspect(file).value();
  for (auto _ : state) benchmark::DoNotOptimize(decode_jpeg(file, whole_of(header), reduction));
  count_bytes(state, file.size());
}

void libjpeg_turbo(benchmark::State& state, const File& file, int reduction) {
  for (auto _ : state) benchmark::DoNotOptimize(testing::scaled_jpeg(file, static_cast<unsigned>(reduction)));
  count_bytes(state, file.size());
}

void colour_stage(benchmark::State& state, const File& profiled, const File& photo) {
  Profile profile;
  Converter converter = Converter::allocate().value();
  if (!read_profile(segment_of(profiled, jpeg::kApp2, 14), profile) || !converter.set(std::move(profile)))
    return state.SkipWithError("no profile");
  Reduced picture = square_of(photo, 4);
  for (auto _ : state) {
    converter.apply(picture.image.pixels.span());
    benchmark::ClobberMemory();
  }
  count_bytes(state, picture.image.pixels.size());
}

void turn_stage(benchmark::State& state, const File& photo) {
  Image picture = square_of(photo, 4).image;
  const std::size_t bytes = picture.pixels.size();
  for (auto _ : state) picture = turn_upright(std::move(picture), 6).value();
  count_bytes(state, bytes);
}

void resample_stage(benchmark::State& state, const File& photo, int reduction) {
  const Image picture = square_of(photo, reduction).image;
  const Box all = {0, 0, static_cast<double>(picture.width), static_cast<double>(picture.height)};
  for (auto _ : state) benchmark::DoNotOptimize(resample(picture, all, kInput, kInput, Filter::kBicubic));
  count_bytes(state, picture.pixels.size());
}

Image view_of(const File& photo) {
  const Image picture = square_of(photo, 4).image;
  return resample(picture, {0, 0, static_cast<double>(picture.width), static_cast<double>(picture.height)}, kInput,
                  kInput, Filter::kBicubic)
      .value();
}

void tensor_stage(benchmark::State& state, const File& photo) {
  const Image view = view_of(photo);
  const TensorSpec spec = tensor_spec();
  for (auto _ : state) benchmark::DoNotOptimize(to_tensor(view, spec));
  count_bytes(state, view.pixels.size());
}

void quality_stage(benchmark::State& state, const File& photo) {
  const Image view = view_of(photo);
  for (auto _ : state) benchmark::DoNotOptimize(measure_quality(view, {0, 0, kInput, kInput}));
  count_bytes(state, view.pixels.size());
}

void all_stages(benchmark::State& state, const File& file) {
  PrepareSpec spec;
  spec.tensor = tensor_spec();
  for (auto _ : state) benchmark::DoNotOptimize(prepare(file, spec));
  count_bytes(state, file.size());
}

// Files must outlive the benchmarks.
void add_photo(const std::string& name, const File& photo) {
  using benchmark::RegisterBenchmark;
  const auto add = [&](const std::string& stage, auto&& run) {
    RegisterBenchmark((stage + "/" + name).c_str(), run)->Unit(benchmark::kMillisecond);
  };
  add("header", [&](benchmark::State& state) { header_stage(state, photo); });
  for (const int reduction : kReductions) {
    const std::string by = "/by-" + std::to_string(reduction);
    add("huffman+idct" + by, [&, reduction](benchmark::State& state) { decode_stage(state, photo, reduction); });
    add("libjpeg-turbo" + by, [&, reduction](benchmark::State& state) { libjpeg_turbo(state, photo, reduction); });
  }
  add("all", [&](benchmark::State& state) { all_stages(state, photo); });
}

void add_stages(const File& exif, const File& profiled, const File& photo) {
  using benchmark::RegisterBenchmark;
  RegisterBenchmark("sniff", [&](benchmark::State& state) { sniff_stage(state, photo); });
  RegisterBenchmark("exif", [&](benchmark::State& state) { exif_stage(state, exif); });
  RegisterBenchmark("icc", [&](benchmark::State& state) { icc_stage(state, profiled); });
  RegisterBenchmark("colour", [&](benchmark::State& state) {
    colour_stage(state, profiled, photo);
  })->Unit(benchmark::kMillisecond);
  RegisterBenchmark("turn", [&](benchmark::State& state) { turn_stage(state, photo); })->Unit(benchmark::kMillisecond);
  for (const int reduction : kReductions) {
    const std::string name = "resample/by-" + std::to_string(reduction);
    RegisterBenchmark(name.c_str(), [&, reduction](benchmark::State& state) {
      resample_stage(state, photo, reduction);
    })->Unit(benchmark::kMillisecond);
  }
  RegisterBenchmark("tensor", [&](benchmark::State& state) {
    tensor_stage(state, photo);
  })->Unit(benchmark::kMillisecond);
  RegisterBenchmark("quality", [&](benchmark::State& state) {
    quality_stage(state, photo);
  })->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc < 3) {
    std::fprintf(stderr, "stages_bench [--benchmark_...] TESTS/PICTURES PHOTO.jpg...\n");
    return 2;
  }
  const std::filesystem::path pictures = argv[1];
  const File exif = read_file(pictures / "orientation-6.jpg");
  const File profiled = read_file(pictures / "p3.jpg");
  std::vector<File> photos;
  for (int i = 2; i < argc; ++i) {
    photos.push_back(read_file(argv[i]));
    if (!inspect(photos.back())) {
      std::fprintf(stderr, "%s cannot be read\n", argv[i]);
      return 2;
    }
  }
  add_stages(exif, profiled, photos.front());
  for (std::size_t i = 0; i < photos.size(); ++i)
    add_photo(std::filesystem::path(argv[i + 2]).stem().string(), photos[i]);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
