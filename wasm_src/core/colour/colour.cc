#include "colour/colour.h"

namespace dermlet {
namespace {

ColourSource use(const Profile& profile, Converter& converter) {
  if (!converter.set(profile)) return ColourSource::kUnsupportedProfile;
  return converter.changes_nothing() ? ColourSource::kSrgb : ColourSource::kConverted;
}

// A grey picture shown by an RGB profile is three equal values; a grey profile says nothing about colours, and none of
// those read describes inks.
bool read_fitting_profile(Bytes icc, int channels, Profile& profile) {
  return channels != 4 && read_profile(icc, profile) && (!profile.grey || channels == 1);
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
      if (read_fitting_profile(colours.profile.span(), channels, profile)) return use(profile, converter);
      break;
    case ColourKind::kPrimaries:
      if (make_profile(colours.primaries, colours.exponent, profile)) return use(profile, converter);
      break;
    case ColourKind::kUnreadable:
      break;
  }
  return ColourSource::kUnsupportedProfile;
}

}  // namespace dermlet
