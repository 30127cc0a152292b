// ICC profiles (ICC.1:2001-04 and ICC.1:2022, versions 2 and 4) -> sRGB: RGB by matrix and tone curves, as cameras,
// phones and editors attach them (Display P3, Adobe RGB, ProPhoto, ...), grey by one tone curve, and RGB, grey and CMYK
// by look-up tables, as scanners, printers and XYB-coded JPEGs have them. A table goes before curves; where it cannot
// be read they are used. What else there is (device links, named colours, other colour spaces, multiProcessElements) is
// not read: the caller says so and does not convert the pixels.
//
// Answers are those of LittleCMS for 8-bit pixels, relative colorimetric without black point compensation, within 1
// level; with tables within 1 level of LittleCMS without its optimiser, which by itself is off by several. sRGB is
// built as LittleCMS builds it: BT.709 primaries, D65 adapted to the profiles' D50 by Bradford's matrix, IEC
// 61966-2-1's curve. Everything is bit-identical on every machine: tables are computed with only + - * / in double (no
// libm, whose last digit differs between systems), pixels are converted in integers, or in the same double where a
// table is used.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "bytes.h"
#include "colour/description.h"
#include "colour/table.h"
#include "expected.h"
#include "image.h"

namespace dermlet {

// Rows of 3; a profile's columns are its red, green and blue in XYZ.
using Matrix = std::array<std::array<double, 3>, 3>;

// Linear light, 1 is the device's most, for each stored level.
using Levels = std::array<double, 256>;

struct Profile {
  int channels = 3;                     // 1 grey: only curves[0] is used, not the matrix; 3 RGB; 4 CMYK
  std::unique_ptr<icc::Table> table{};  // where there is one, nothing below is used
  Matrix to_xyz{};                      // relative to D50
  std::array<Levels, 3> curves{};       // red, green, blue
};

// Reads a profile from untrusted bytes; false when it is broken or of a kind that is not read.
[[nodiscard]] bool read_profile(Bytes icc, Profile& profile);

// The profile that primaries and a power law describe; sRGB's curve without an exponent. False when they span no
// colours or the exponent is outside 0.1-10.
[[nodiscard]] bool make_profile(const Primaries& primaries, std::optional<double> exponent, Profile& profile);

// Pixels of one profile to sRGB.
class Converter {
 public:
  // Takes 28 KiB for its tables; converts nothing before set(). Errors: kImageTooLarge (no memory).
  [[nodiscard]] static Expected<Converter> allocate();

  // False when the profile makes white anything but light: no camera's does.
  [[nodiscard]] bool set(Profile profile);

  // Whether the profile is one of inks: then apply_inks() is the way.
  [[nodiscard]] bool takes_inks() const { return channels_ == 4; }

  // Converts interleaved 8-bit RGB in place; grey comes as three equal values.
  void apply(std::span<std::uint8_t> rgb) const;

  // Converts as many pixels of four inks, 0 for none of it, to RGB.
  void apply_inks(std::span<const std::uint8_t> inks, std::span<std::uint8_t> rgb) const;

  // Whether no colour changes by more than one level, which is what conversion may be off by: the profile is sRGB under
  // whatever name.
  [[nodiscard]] bool changes_nothing() const;

 private:
  Converter() = default;

  void fill_encoded();
  [[nodiscard]] bool set_shares(const Profile& profile);
  void look_up(const std::uint8_t* levels, std::uint8_t* rgb) const;
  void look_up_all(std::span<const std::uint8_t> pixels, int channels, std::span<std::uint8_t> rgb) const;

  int channels_ = 3;
  std::unique_ptr<icc::Table> table_;
  // Colours that were looked up before, and their answers.
  struct Known {
    std::uint32_t colour = 0;
    bool there = false;
    std::array<std::uint8_t, 3> rgb{};
  };
  static constexpr int kKnownBits = 15;
  mutable Buffer<Known> known_;  // with a table only; changes no answer
  Matrix from_xyz_{};            // to linear sRGB; with a table only
  Buffer<std::int32_t>
      shares_;  // what each level of each channel gives to linear red, green and blue (and one unused, for alignment)
  Buffer<std::uint8_t> encoded_;  // linear light to sRGB's levels
};

}  // namespace dermlet
