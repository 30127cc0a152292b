// Is the picture good enough to be scored? Each check reports what it measured and the limit it was compared with.
//
// All but the first measure the view, which is what the network is shown, so that a photo that is soft at 12 megapixels
// and sharp at the network's size is sharp. Luma is (77 R + 150 G + 29 B) / 256 (ITU-R BT.601 to 8 bits), in levels, 0
// to 255. Sums are of whole numbers, the rest is plain IEEE arithmetic and square roots in one order: values are the
// same to the last bit everywhere. kQualityKinds (contract.h) lists the checks: what each measures, in which unit, and
// on which side of its limit it fails.
//
// Of sharpness: s is the standard deviation of noise, Ek the mean squared difference of neighbouring k x k block means,
// across plus down. Blur takes from E2 long before it takes from E8, and a smooth subject lacks both (the ratio of
// variations at two scales, as in Crete et al., "The blur effect", SPIE 6492, 2007). White noise adds s^2 to E2 and
// s^2 / 16 to E8, which is taken off, so that a grainy blurred photo is blurred. A straight sharp edge alone has 0.25,
// texture more. Sharpness is 1 where there is nothing to judge by: such a view fails as flat.
//
// Haze lifts what is darkest in a view (hairs, pores, shadows) and dims its highlights, whatever the lesion is: their
// span tells it apart from a pale lesion better than the deviation of all pixels does. Lesions are darker or redder
// than the skin around them, as melanin and blood take green from the light before red: 3 G - 2 R.
//
// Pictures pasted beside one another meet in a straight line from rim to rim, which nothing on skin makes: luma jumps
// within two pixels by more than kSeamStep levels, and by more than twice what it changes just before and after. The
// outer sixteenth of the view is left out, where photos have thin borders.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "contract.h"
#include "expected.h"
#include "geometry/rect.h"
#include "image.h"

namespace dermlet {

// In the order of kQualityKinds. A check without a limit is not made.
using QualityLimits = std::array<std::optional<float>, kQualityKinds.size()>;

struct QualityCheck {
  std::string_view id;
  float value = 0;
  float limit = 0;
  bool passed = true;
};

struct Quality {
  bool usable = true;  // every check passed
  std::vector<QualityCheck> checks;
};

// What the checks measure, in the order of kQualityKinds.
using QualityValues = std::array<float, kQualityKinds.size()>;

//   view    what the network is shown, RGB8, at least 1x1
//   region  the part of the upright picture that it was made from
// Errors: kImageTooLarge (no memory).
[[nodiscard]] Expected<QualityValues> measure_quality(const Image& view, const Rect& region);

// Holds measured values against limits: those of a modality, which may be known only after the network has run.
[[nodiscard]] Quality judge_quality(const QualityValues& values, const QualityLimits& limits);

}  // namespace dermlet
