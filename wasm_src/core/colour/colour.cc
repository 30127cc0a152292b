#include "colour/colour.h"

#include <utility>

namespace dermlet {
namespace {

ColourSource use(Profile profile, Converter& converter) {
  if (!converter.set(std::move(profile))) return ColourSource::kUnsupportedProfile;
  return converter.changes_nothing() ? ColourSource::kSrgb : ColourSource::kConverted;
}

// A grey picture shown by an RGB profile is three equal values; a grey profile says nothing about colours, and inks are
// described by none but their own.
bool read_fitting_profile(Bytes icc, int channels, Profile& profile) {
  return read_profile(icc, profile) && (profile.channels == channels || (channels == 1 && profile.channels == 3));
}

}  // namespace

ColourSource set_converter(const ColourDescription& colours, int channels, Converter& converter) {
  Profile profile;
  switch (colours.kind) {
    case ColourKind::kNone:
      return ColourSource::kAssumedSrgb;
    case ColourKind::kSrgb:
      return ColourSource::kSrgb;
    case ColourKind::kProfile:
      if (read_fitting_profile(colours.profile.span(), channels, profile)) return use(std::move(profile), converter);
      break;
    case ColourKind::kPrimaries:
      if (make_profile(colours.primaries, colours.exponent, profile)) return use(std::move(profile), converter);
      break;
    case ColourKind::kUnreadable:
      break;
  }
  return ColourSource::kUnsupportedProfile;
}

}  // namespace dermlet
