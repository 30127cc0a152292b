// prepare() and interpret(): the two calls that every front end makes, in this order, around one run of the network.
//
//   bytes --prepare()--> tensor, view, preview, quality      (network runs)      outputs --interpret()--> decision, heat map
//
// Both are pure: same arguments, same answer, bit for bit, on every platform. Neither reads or writes anything it was not given.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "colour.h"
#include "decision.h"
#include "heatmap.h"
#include "image.h"
#include "quality.h"
#include "resample.h"
#include "result.h"
#include "sniff.h"
#include "tensor.h"

namespace dermlet {

// How the network wants its picture; the manifest's "input" and "quality".
struct PrepareSpec {
  TensorSpec tensor;           // size, layout, channel order, normalisation
  Fit fit = Fit::kCover;       // which part of the picture is shown to the network
  Filter filter = Filter::kBicubic;
  QualityLimits quality;
  int preview_side = 0;        // longest side of the upright preview in pixels; 0 makes none
};

// What prepare() read from the file. Sizes are pixels.
struct Source {
  Format format;
  int width = 0;        // upright, after the EXIF orientation was applied
  int height = 0;
  int orientation = 1;  // EXIF 1-8, as found
  ColourSource colour = ColourSource::kAssumedSrgb;
};

struct Prepared {
  Buffer<float> tensor;  // one picture, tensor.layout, tensor.width * tensor.height * 3 values
  Image view;            // RGB8, tensor.width x tensor.height: exactly what was normalised into the tensor
  Image preview;         // RGB8, the whole upright picture, empty when preview_side is 0
  Rect region;           // the part of the upright picture that the view shows
  Source source;
  Quality quality;
};

// Decodes, converts to sRGB, turns upright, crops, resamples and normalises one picture.
//   bytes  a whole JPEG, PNG or BMP file, at most kMaxFileBytes
//   crop   in pixels of the upright picture; must lie inside it and be at least 1x1
// Errors: kUnsupportedFormat, kCorruptImage, kImageTooLarge, kInvalidArgument.
[[nodiscard]] Result<Prepared> prepare(std::span<const std::uint8_t> bytes, const PrepareSpec& spec, std::optional<Rect> crop = {});

// What the network answered for one picture.
struct ModelOutputs {
  std::span<const float> logits;     // K; probabilities when DecisionSpec::scores says so
  std::span<const float> maps;       // K * map_height * map_width, class-major; may be empty
  int map_height = 0;
  int map_width = 0;
  std::span<const float> embedding;  // D; may be empty
};

struct Explain {
  int class_index = -1;  // -1 explains the first-ranked class
  int width = 0;         // overlay size in pixels
  int height = 0;
};

struct Interpretation {
  Decision decision;
  std::optional<HeatMap> heat_map;
};

// Turns the outputs into a decision and, when asked and maps are there, into a heat map.
//   usable  Quality::usable of the same picture; false gives Outcome::kPoorQuality whatever the network says
// Errors: kInvalidArgument (lengths that do not fit, values that are not finite), kImageTooLarge (no memory for the overlay).
[[nodiscard]] Result<Interpretation> interpret(const ModelOutputs& outputs, const DecisionSpec& spec, bool usable,
                                               std::optional<Explain> explain = {});

}  // namespace dermlet
