// Where is the spot? The locator's output for a whole picture -> candidates, and the frame that the network is shown.
//
// The locator is a small network of its own that sees the whole upright picture, squashed to a square. On a coarse
// grid it gives three values a cell: the logit that the centre of a spot lies in the cell, and log2 of the spot's
// width and height as shares of the picture's (as in CenterNet, Zhou et al. 2019, "Objects as Points"). A candidate is
// a cell that no neighbour exceeds; its centre is the mean of the 3 x 3 cells around it, weighted by their scores. Of
// candidates that overlap the one of the highest score stays.
#pragma once

#include <span>
#include <vector>

#include "contract.h"
#include "expected.h"
#include "geometry/rect.h"

namespace dermlet {

inline constexpr int kMaxLocatorGrid = 256;  // rows or columns
inline constexpr double kMaxFrameScale = 100;

// The numbers of the manifest's "locator", and of the "look" of the picture's modality.
struct LocateSpec {
  float spot_score = 0.5f;  // 0 to 1: a candidate is a spot from this score on
  float rival_score =
      0.5f;  // 0 to 1: from this score on a second spot, outside the best one's frame, may be a rival ...
  float rival_ratio = 0.8f;  // ... and is one from this share of the best one's score on
  float frame_score = 0.5f;  // 0 to 1: under this score a spot is not trusted to be looked at closely
  double frame_scale = 1.6;  // side of the frame, of the spot's longer side; at least 1
  double alone_share = 0.2;  // of the picture's shorter side: a spot shorter than this is scored in its frame only
  double both_share = 0.4;   // ... and one shorter than this in the picture and in its frame, which are averaged
};

// A box in pixels of the upright picture, inside it, how surely it holds a spot (0 to 1), and the frame that shows it.
struct Spot {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
  float score = 0;
  Rect frame;  // a square of whole pixels around it, inside the picture
};

// Whether a frame so found shows one spot that may be classified.
[[nodiscard]] constexpr bool answerable(Framing framing) {
  return framing != Framing::kNone && framing != Framing::kSeveral;
}

struct Located {
  std::vector<Spot> spots;  // candidates of at least LocateSpec::spot_score, best first, at most kMaxSpots
  Framing framing = Framing::kNone;
  Rect frame;  // that of the best spot for kSpot, kBoth and kSeveral; else the whole picture
};

inline constexpr std::size_t kMaxSpots = 8;

//   output        3 * rows * columns values: logits, log2 widths, log2 heights, row by row
//   width, height of the upright picture, pixels
// Errors: kInvalidArgument (lengths, sizes or limits that make no sense, values that are not finite).
[[nodiscard]] Expected<Located> locate(std::span<const float> output, int rows, int columns, int width, int height,
                                       const LocateSpec& spec);

}  // namespace dermlet
