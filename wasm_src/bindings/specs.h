// What calls pass -> what the core takes, whatever the language: dermlet.d.ts names the fields. Each function reads one
// argument; what is wrong with it becomes the call's error (field.h).
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "field.h"
#include "pipeline.h"

namespace dermlet {

// A whole file, or a header and pixels. `file` owns what the source looks at; of a file over the core's limit no more
// is copied than tells so.
[[nodiscard]] PictureSource source_from(const Field& v, Buffer<std::uint8_t>& file);
[[nodiscard]] PrepareSpec prepare_spec_from(const Field& v);
[[nodiscard]] std::optional<Rect> crop_from(const Field& v);
[[nodiscard]] QualityLimits quality_limits_from(const Field& v);
[[nodiscard]] QualityValues quality_values_from(const Field& v);
[[nodiscard]] LocateSpec locate_spec_from(const Field& v);

// Owns what ModelOutputs looks at.
struct OwnedOutputs {
  Buffer<float> scores;
  Buffer<float> maps;
  Buffer<float> embedding;
};

// Owns what a LesionOutputs looks at.
struct OwnedPicture {
  OwnedOutputs outputs;
  OwnedOutputs frame_outputs;
  std::optional<RejectionModel> rejection;
  Buffer<float> head_weights;
  Buffer<float> head_bias;
};

using OwnedPictures = std::array<OwnedPicture, kMaxLesionPictures>;

[[nodiscard]] std::vector<LesionOutputs> pictures_from(const Field& v, OwnedPictures& owned);
[[nodiscard]] CombinationSpec combination_from(const Field& v, std::size_t pictures);

}  // namespace dermlet
