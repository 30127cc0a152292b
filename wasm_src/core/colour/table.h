// Look-up tables of ICC profiles from a device's colours to the profile connection space: lut8Type, lut16Type and
// lutAToBType (ICC.1:2022, 10.10 to 10.12) of one, three or four channels.
//
// Between the table's points colours are found as LittleCMS finds them: over the tetrahedron that holds the colour,
// with four channels over two of them, one for each neighbour in the first channel. All else is computed as it stands,
// in double, and not by way of a second table, which LittleCMS makes where it is allowed to: that one is off by more
// than everything else here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "bytes.h"
#include "colour/tags.h"
#include "image.h"

namespace dermlet::icc {

class Table {
 public:
  // From untrusted bytes: the tag, and whether the connection space is CIELAB (else XYZ). False when it is broken, of
  // a kind that is not read, or there is no memory. `channels` must be what the tag has.
  [[nodiscard]] bool read(Bytes tag, int channels, bool lab);

  // A colour's X, Y and Z relative to D50, of as many stored levels as the table has channels.
  [[nodiscard]] Vector xyz(const std::uint8_t* levels) const;

 private:
  static constexpr std::size_t kSamples = 4097;

  // Where a stored level lies in the table: its nearest point below, as a distance in the nodes, and how far beyond it.
  struct Place {
    std::size_t offset = 0;
    double beyond = 0;
  };
  // A curve behind the table. One that changes nothing is left out, and then nothing is cut off at 0 and 1.
  struct Stage {
    Buffer<double> samples;
    [[nodiscard]] double operator()(double v) const;
  };

  bool read_tables(Bytes tag, bool wide);
  bool read_stages(Bytes tag);
  bool read_nodes(Bytes data, const std::array<std::size_t, 4>& grid, bool wide);
  static bool read_stage(Stage& stage, Bytes curve);
  static bool read_curves(Bytes tag, std::size_t at, std::array<Stage, 3>& stages);
  bool read_inputs(Bytes tag, std::size_t at);
  [[nodiscard]] Vector interpolated(const std::uint8_t* levels) const;
  [[nodiscard]] Vector in_tetrahedron(std::size_t at, const Place* places) const;
  [[nodiscard]] Vector node(std::size_t at) const;

  std::size_t channels_ = 0;
  std::array<std::array<double, 256>, 4> inputs_{};  // 0 to 1 for each stored level
  std::array<std::array<Place, 256>, 4> places_{};
  std::array<std::size_t, 4> strides_{};  // in nodes' values
  Buffer<std::uint16_t> nodes_;           // three values each, the last channel fastest; empty without a table
  std::array<Stage, 3> middle_;
  bool has_matrix_ = false;
  std::array<Vector, 3> matrix_{};
  Vector offset_{};
  std::array<Stage, 3> last_;
  bool lab_ = false;
  bool old_lab_ = false;  // lut16Type's: 0xFF00 is 100
};

}  // namespace dermlet::icc
