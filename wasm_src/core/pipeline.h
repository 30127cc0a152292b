// prepare() and interpret(): the two calls that every front end makes, in this order, around the runs of the network.
//
//   bytes --prepare()--> tensor, view, preview, quality    (network runs)    outputs --interpret()--> decision, heat
//   map
//
// For a format that is decoded elsewhere:
//   bytes --inspect()--> header    (decoded elsewhere)    header, pixels --prepare()--> the same
//
// prepare() is called for each picture, interpret() once for all pictures of a lesion. Both are pure: same arguments,
// same answer, bit for bit, on every platform. Neither reads or writes anything it was not given.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "bytes.h"
#include "decision/combine.h"
#include "decision/decision.h"
#include "decision/heatmap.h"
#include "decision/own_head.h"
#include "decision/rejection.h"
#include "expected.h"
#include "formats/header.h"
#include "geometry/rect.h"
#include "geometry/resample.h"
#include "image.h"
#include "view/locate.h"
#include "view/quality.h"
#include "view/tensor.h"
#include "view/views.h"

namespace dermlet {

// A second tensor of the same picture: all of it, squashed to a locator's input, from the same decoding where both are
// reduced alike.
struct WholeSpec {
  TensorSpec tensor;
  Filter filter = Filter::kBicubic;
};

// How the network expects its picture; the manifest's "input" and "quality".
struct PrepareSpec {
  TensorSpec tensor;      // size, layout, channel order, normalisation
  Fit fit = Fit::kCover;  // which part of the picture is shown to the network
  double crop_pct = 1;    // of that part's sides, 0 to 1: its middle; a crop that a person chose is shown whole
  Filter filter = Filter::kBicubic;
  QualityLimits quality;
  int preview_side = 0;  // longest side of the upright preview in pixels; 0 makes none
  int views = 1;         // dihedral views in the tensor: 1, 4, or 8 where tensor.width == tensor.height (views.h)
  std::optional<WholeSpec> whole{};
};

// What prepare() read from the file. Sizes are pixels.
struct Source {
  Format format{};
  int width = 0;  // upright, after the EXIF orientation was applied
  int height = 0;
  int orientation = 1;  // EXIF 1-8, as found
  ColourSource colour = ColourSource::kAssumedSrgb;
};

struct Prepared {
  Buffer<float> tensor;  // spec.views pictures, the upright one first, each tensor.layout, tensor.width * tensor.height
                         // * 3 values
  Image view;     // RGB8, tensor.width x tensor.height: exactly what was normalised into the tensor's first picture
  Image preview;  // RGB8, the whole upright picture, empty when preview_side is 0
  Buffer<float> whole;  // the whole picture by spec.whole, whatever the crop; empty without it
  Rect region;          // the part of the upright picture that the view shows
  Source source;
  QualityValues quality_values{};  // for judge_quality(), where the limits that hold are known later
  Quality quality;                 // by spec.quality
};

// A picture of a format that is decoded elsewhere (is_foreign). Orientation and colours are applied here.
struct ForeignPicture {
  Header header;  // of inspect()
  Image pixels;   // RGBA8, not premultiplied, as stored: decoded after Header::neutralising was applied to the file
};

// A whole JPEG, PNG or BMP file, at most kMaxFileBytes; or pixels and what their file says of them.
using PictureSource = std::variant<Bytes, ForeignPicture>;

// Decodes, converts to sRGB, turns upright, crops, resamples and normalises one picture.
//   crop  in pixels of the upright picture; must lie inside it and be at least 1x1
// Errors: kUnsupportedFormat (also the file of a foreign format), kCorruptImage, kImageTooLarge, kInvalidArgument (also
// pixels that do not fit their header).
[[nodiscard]] Expected<Prepared> prepare(const PictureSource& source, const PrepareSpec& spec,
                                         std::optional<Rect> crop = {});

// A whole picture as it is: upright, in sRGB, at full size.
struct WholePicture {
  Image image;  // RGB8, source.width x source.height
  Source source;
};

// What training keeps of a picture: the pixels that prepare() makes its view of, where it need not reduce them.
// Errors: as prepare().
[[nodiscard]] Expected<WholePicture> read_whole(const PictureSource& source);

struct Explain {
  int class_index = -1;  // -1 explains the first-ranked class
  int width = 0;         // overlay size in pixels
  int height = 0;
};

inline constexpr std::size_t kMaxLesionPictures = 2;

struct LesionOutputs {
  ModelOutputs outputs;
  DecisionSpec spec;               // by the picture's modality
  bool usable = true;              // Quality::usable
  std::optional<Explain> explain;  // the overlay's size is this picture's own
  const RejectionModel* rejection =
      nullptr;  // not owned; null scores rejection by energy. Wants logits and the embedding
  std::optional<ModelOutputs> frame_outputs{};  // of the frame around the spot, for kBoth: logits and embedding are
                                                // averaged, the maps are those of `outputs`
  std::optional<OwnHead> head{};  // the decision is by its logits and the spec's K is its own; rejection still is by
                                  // the network's scores, and there is no heat map
  Framing framing = Framing::kWhole;  // how the part that the network saw was found; not answerable(): left out like a
                                      // picture that is not usable
};

struct Interpretation {
  Decision decision;                  // of all usable pictures together
  std::optional<HeatMap> heat_map;    // of the primary picture, for the requested class, else the lesion's first-ranked
  std::vector<Decision> per_picture;  // of each by itself
  std::size_t primary_index = 0;      // of the first usable picture; 0 when none is
  std::vector<float> embedding;       // of the primary picture, the mean over its views; empty where there is none
  bool combined = false;              // whether two or more pictures were usable and so combined (combine.h)
};

// Turns the outputs for the pictures of one lesion into one decision and, if requested and maps exist, into a heat
// map. Outputs for several views of a picture are averaged first (views.h). Pictures that are not usable, or in which
// not one spot was found, are left out: where one is left, its decision is the lesion's, by its own spec; where none
// is, the outcome gives the reason for the first picture and everything else is that picture's.
//   pictures     1 to kMaxLesionPictures
//   combination  weights in the order of the pictures
// Errors: kInvalidArgument (number of pictures, lengths that do not fit, values that are not finite, and as combine()),
// kModelCorrupt (a view's scores are no probabilities where the spec says that they are), kImageTooLarge (no memory for
// the overlay).
[[nodiscard]] Expected<Interpretation> interpret(std::span<const LesionOutputs> pictures,
                                                 const CombinationSpec& combination);

}  // namespace dermlet
