#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "formats/jpeg/bits.h"
#include "formats/jpeg/huffman.h"
#include "formats/jpeg/idct.h"
#include "formats/jpeg/jpeg.h"
#include "formats/jpeg/markers.h"
#include "formats/jpeg/output.h"

namespace dermlet::jpeg {
namespace {

using namespace std::string_view_literals;

// Zigzag position -> place in the block, row by row (T.81 figure A.6).
constexpr std::array<std::uint8_t, 64> kNatural = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};

constexpr int kBlockSide = 8;

// Encoders make about ten scans. A scan of nothing but end-of-band runs is some bytes long and yet passes every block,
// and a table of 20 bytes takes microseconds to build: without a limit a small file could keep the decoder busy for
// minutes.
constexpr int kMostEffort = 1000;

// Zigzag positions up to and with `last`, 0-63, a bit each.
constexpr std::uint64_t places_to(int last) { return ~std::uint64_t{0} >> (63 - last); }

constexpr int divided_up(std::int64_t a, std::int64_t b) { return static_cast<int>((a + b - 1) / b); }

// Blocks [x0, x1) x [y0, y1).
struct BlockRange {
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;

  [[nodiscard]] bool holds(int x, int y) const { return x >= x0 && x < x1 && y >= y0 && y < y1; }
  [[nodiscard]] std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y - y0) * static_cast<std::size_t>(x1 - x0) + static_cast<std::size_t>(x - x0);
  }
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(x1 - x0) * static_cast<std::size_t>(y1 - y0);
  }
};

struct Component {
  FrameComponent frame;
  int blocks_x = 0;  // blocks that hold picture; what a scan of this component alone has
  int blocks_y = 0;
  int padded_x = 0;  // blocks that whole MCUs have
  int padded_y = 0;
  int points_x = 8;  // samples that a block gives
  int points_y = 8;
  int last = 63;    // last zigzag position that the samples need
  BlockRange kept;  // blocks whose samples are wanted
  Plane plane;
  std::array<std::int32_t, 64> quantisation{};  // natural order, as it stood when the component's first scan began
  bool quantised = false;
  bool scanned = false;  // a scan with its DC coefficients has been decoded to the end
  int prediction = 0;
  // Progressive only.
  Buffer<std::int16_t> coefficients;  // kept blocks x (last + 1), zigzag order
  Buffer<std::uint64_t> nonzero;      // every padded block: which coefficients are known not to be 0
};

struct Scan {
  int count = 0;
  int component[4] = {};
  int dc_table[4] = {};
  int ac_table[4] = {};
  int first = 0;  // spectral selection
  int last = 63;
  int high = 0;  // successive approximation
  int low = 0;
};

// The reader as a local for the length of a block, so that its state stays in registers.
class Borrowed {
 public:
  explicit Borrowed(BitReader& home) : reader(home), home_(home) {}
  ~Borrowed() { home_ = reader; }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;

  BitReader reader;  // NOLINT(misc-non-private-member-variables-in-classes): what it is made for

 private:
  BitReader& home_;
};

// A block's coefficients but the first, which are 0 again once they have served: few of them are ever set.
class Filled {
 public:
  explicit Filled(std::int32_t* block) : block_(block) {}
  ~Filled() {
    for (; places_ != 0; places_ &= places_ - 1) block_[std::countr_zero(places_)] = 0;
  }
  Filled(const Filled&) = delete;
  Filled& operator=(const Filled&) = delete;

  void set(std::size_t place, std::int32_t value) {
    block_[place] = value;
    places_ |= std::uint64_t{1} << place;
  }
  [[nodiscard]] bool none() const { return places_ == 0; }

 private:
  std::int32_t* block_;
  std::uint64_t places_ = 0;  // in natural order
};

class Decoder {
 public:
  explicit Decoder(Bytes bytes) : bytes_(bytes) {}

  Expected<Reduced> decode(const Rect& part, int reduction, bool inks);

 private:
  using Check = Expected<void>;

  Check read_quantisation(Bytes payload);
  Check read_huffman(Bytes payload);
  Expected<Scan> read_scan(Bytes payload);
  Check set_up(const Rect& part, int reduction);
  Check set_up_component(Component& component, const BlockRange& units, int points) const;
  void take_standard_tables(const Scan& scan, int place);
  Check begin_scan(const Scan& scan);
  Expected<std::size_t> decode_scan(const Scan& scan, std::size_t at);
  Check restart(const Scan& scan, int index);

  Check each_block(const Scan& scan);
  bool decode_block(const Scan& scan, int place, Component& component, int x, int y);
  bool sequential_block(Component& component, const HuffmanTable& dc, const HuffmanTable& ac, int x, int y);
  void fill();
  bool dc_first(Component& component, const HuffmanTable& dc, int low, int x, int y);
  bool dc_refine(Component& component, int low, int x, int y);
  bool ac_first(Component& component, const HuffmanTable& ac, const Scan& scan, int x, int y);
  bool ac_refine(Component& component, const HuffmanTable& ac, const Scan& scan, int x, int y);
  static void refine(BitReader& reader, const Component& component, std::int16_t* values, std::uint64_t places,
                     int low);

  static std::int16_t* stored(Component& component, int x, int y) {
    if (!component.kept.holds(x, y)) return nullptr;
    return component.coefficients.data() + component.kept.index(x, y) * static_cast<std::size_t>(component.last + 1);
  }
  static std::uint64_t& nonzero(Component& component, int x, int y) {
    return component.nonzero.data()[static_cast<std::size_t>(y) * static_cast<std::size_t>(component.padded_x) +
                                    static_cast<std::size_t>(x)];
  }
  static void put_samples(Component& component, const std::int32_t* block, bool flat, int x, int y);
  void transform_stored();
  [[nodiscard]] Expected<Reduced> output(int reduction, bool inks) const;
  [[nodiscard]] Colour colour() const;
  [[nodiscard]] tl::unexpected<Error> incomplete(bool early, double share) const;

  Bytes bytes_;
  Frame frame_;
  bool frame_seen_ = false;
  bool scan_seen_ = false;  // what the channels are is said before
  int h_max_ = 1;
  int v_max_ = 1;
  int units_x_ = 0;  // MCUs of an interleaved scan
  int units_y_ = 0;
  Component components_[4];
  std::array<std::uint16_t, 64> quantisation_[4]{};  // zigzag order
  bool quantisation_seen_[4] = {};
  std::array<HuffmanTable, 4> dc_;
  std::array<HuffmanTable, 4> ac_;
  bool huffman_seen_[2][4] = {};  // DC, AC
  int restart_interval_ = 0;
  bool jfif_ = false;
  int adobe_transform_ = -1;
  BitReader reader_;
  alignas(16) std::int32_t block_[64] = {};  // of a sequential scan; all 0 between blocks but for the first
  int end_of_band_ = 0;                      // blocks that the current end-of-band run still covers
  int effort_ = 0;                           // Huffman tables built, and ten times the scans
};

tl::unexpected<Error> Decoder::incomplete(bool early, double share) const {
  const int percent = std::clamp(static_cast<int>(share * 100), 0, 99);
  return fail(ErrorCode::kCorruptImage, std::string(early ? "the JPEG ends early: " : "the JPEG's data is broken: ") +
                                            "about " + std::to_string(percent) + " % of " +
                                            (frame_.progressive ? "one of its passes" : "the picture") +
                                            " could be read");
}

Decoder::Check Decoder::read_quantisation(Bytes payload) {
  while (!payload.empty()) {
    const int wide = payload[0] >> 4;
    const int table = payload[0] & 15;
    const std::size_t length = wide != 0 ? 128 : 64;
    if (table > 3 || payload.size() < 1 + length)
      return fail(ErrorCode::kCorruptImage, "a JPEG quantisation table makes no sense");
    for (std::size_t i = 0; i < 64; ++i) {
      quantisation_[table][i] = wide != 0 ? read_u16(payload, 1 + 2 * i, ByteOrder::kBig).value_or(0) : payload[1 + i];
    }
    quantisation_seen_[table] = true;
    payload = payload.subspan(1 + length);
  }
  return {};
}

Decoder::Check Decoder::read_huffman(Bytes payload) {
  while (!payload.empty()) {
    const int kind = payload[0] >> 4;
    const std::size_t table = payload[0] & 15;
    if (kind > 1 || table > 3 || payload.size() < 17)
      return fail(ErrorCode::kCorruptImage, "a JPEG Huffman table makes no sense");
    std::array<std::uint8_t, 16> counts = {};
    std::size_t total = 0;
    for (std::size_t i = 0; i < 16; ++i) total += counts[i] = payload[1 + i];
    const Bytes symbols = slice(payload, 17, total);
    if (total > 256 || symbols.size() != total)
      return fail(ErrorCode::kCorruptImage, "a JPEG Huffman table makes no sense");
    // One that is no prefix code is an error when a scan asks for it.
    (void)(kind == 0 ? dc_ : ac_)[table].build(kind == 0 ? HuffmanTable::Kind::kDc : HuffmanTable::Kind::kAc, counts,
                                               symbols);
    huffman_seen_[static_cast<std::size_t>(kind)][table] = true;
    ++effort_;
    payload = payload.subspan(17 + total);
  }
  return {};
}

Expected<Scan> Decoder::read_scan(Bytes payload) {
  const auto nonsense = [] { return fail(ErrorCode::kCorruptImage, "a JPEG scan header makes no sense"); };
  Scan scan;
  scan.count = read_u8(payload, 0).value_or(0);
  if (scan.count < 1 || scan.count > frame_.count || payload.size() < 4 + 2 * static_cast<std::size_t>(scan.count))
    return nonsense();
  int blocks = 0;
  for (int i = 0; i < scan.count; ++i) {
    const std::uint8_t id = payload[1 + 2 * static_cast<std::size_t>(i)];
    const std::uint8_t tables = payload[2 + 2 * static_cast<std::size_t>(i)];
    const auto* begin = frame_.components;
    // Channels of the same name are meant in their order.
    const auto* found = std::find_if(begin, begin + frame_.count, [&](const FrameComponent& c) {
      return c.id == id && std::find(scan.component, scan.component + i, &c - begin) == scan.component + i;
    });
    scan.component[i] = static_cast<int>(found - begin);
    scan.dc_table[i] = tables >> 4;
    scan.ac_table[i] = tables & 15;
    if (found == begin + frame_.count || scan.dc_table[i] > 3 || scan.ac_table[i] > 3) return nonsense();
    if (!frame_.progressive && components_[scan.component[i]].scanned)
      return nonsense();  // a channel has one scan (T.81 A.2)
    blocks += found->h * found->v;
  }
  if (scan.count > 1 && blocks > 10) return nonsense();
  const Bytes rest = payload.subspan(1 + 2 * static_cast<std::size_t>(scan.count));
  if (frame_.progressive) {
    scan.first = rest[0];
    scan.last = rest[1];
    scan.high = rest[2] >> 4;
    scan.low = rest[2] & 15;
    const bool dc = scan.first == 0;
    if (scan.last > 63 || scan.first > scan.last || (dc && scan.last != 0) || (!dc && scan.count != 1) ||
        scan.low > 13 || (scan.high != 0 && scan.high != scan.low + 1))
      return nonsense();
  }
  return scan;
}

Decoder::Check Decoder::set_up(const Rect& part, int reduction) {
  for (int i = 0; i < frame_.count; ++i) {
    h_max_ = std::max(h_max_, frame_.components[i].h);
    v_max_ = std::max(v_max_, frame_.components[i].v);
  }
  // A single component is not interleaved: its sampling factors mean nothing (T.81 A.2.2).
  if (frame_.count == 1) h_max_ = v_max_ = frame_.components[0].h = frame_.components[0].v = 1;
  const int unit_x = kBlockSide * h_max_;
  const int unit_y = kBlockSide * v_max_;
  units_x_ = divided_up(frame_.width, unit_x);
  units_y_ = divided_up(frame_.height, unit_y);
  // The margin lets filters over chroma and resampling see what they would see in the whole picture.
  const int margin = kBlockSide * reduction;
  const BlockRange units = {std::max(part.x - margin, 0) / unit_x, std::max(part.y - margin, 0) / unit_y,
                            std::min(divided_up(std::int64_t{part.x} + part.width + margin, unit_x), units_x_),
                            std::min(divided_up(std::int64_t{part.y} + part.height + margin, unit_y), units_y_)};
  // Every MCU takes a bit at least: what the file cannot hold is not allocated.
  const double mcus = static_cast<double>(units_x_) * units_y_;
  if (static_cast<double>(bytes_.size()) * 8 < mcus) return incomplete(true, 0);
  for (int i = 0; i < frame_.count; ++i) {
    components_[i].frame = frame_.components[i];
    if (auto done = set_up_component(components_[i], units, kBlockSide / reduction); !done) return done;
  }
  return {};
}

Decoder::Check Decoder::set_up_component(Component& c, const BlockRange& units, int points) const {
  const int h = c.frame.h;
  const int v = c.frame.v;
  c.blocks_x = divided_up(std::int64_t{frame_.width} * h, std::int64_t{h_max_} * kBlockSide);
  c.blocks_y = divided_up(std::int64_t{frame_.height} * v, std::int64_t{v_max_} * kBlockSide);
  c.padded_x = units_x_ * h;
  c.padded_y = units_y_ * v;
  // Components stored smaller are reduced less, as far as a block has samples.
  int ratio_x = h_max_ / h;
  int ratio_y = v_max_ / v;
  c.points_x = c.points_y = points;
  for (; ratio_x % 2 == 0 && c.points_x < kBlockSide; ratio_x /= 2) c.points_x *= 2;
  for (; ratio_y % 2 == 0 && c.points_y < kBlockSide; ratio_y /= 2) c.points_y *= 2;
  c.last = 0;
  for (int k = 0; k < 64; ++k) {
    if (kNatural[static_cast<std::size_t>(k)] % 8 < c.points_x &&
        kNatural[static_cast<std::size_t>(k)] / 8 < c.points_y)
      c.last = k;
  }
  c.kept = {units.x0 * h, units.y0 * v, units.x1 * h, units.y1 * v};

  Plane& plane = c.plane;
  plane.ratio_x = ratio_x;
  plane.ratio_y = ratio_y;
  plane.stride = static_cast<std::size_t>(c.kept.x1 - c.kept.x0) * static_cast<std::size_t>(c.points_x);
  const auto rows = static_cast<std::size_t>(c.kept.y1 - c.kept.y0) * static_cast<std::size_t>(c.points_y);
  const int whole_width = divided_up(std::int64_t{frame_.width} * h * c.points_x, std::int64_t{h_max_} * kBlockSide);
  const int whole_height = divided_up(std::int64_t{frame_.height} * v * c.points_y, std::int64_t{v_max_} * kBlockSide);
  plane.width = std::min(static_cast<int>(plane.stride), whole_width - c.kept.x0 * c.points_x);
  plane.height = std::min(static_cast<int>(rows), whole_height - c.kept.y0 * c.points_y);
  DERMLET_TRY(samples, Buffer<std::uint8_t>::allocate(plane.stride, rows));
  plane.samples = std::move(samples);
  if (!frame_.progressive) return {};

  DERMLET_TRY(coefficients, Buffer<std::int16_t>::allocate(c.kept.count(), static_cast<std::size_t>(c.last) + 1));
  DERMLET_TRY(nonzero, Buffer<std::uint64_t>::allocate(static_cast<std::size_t>(c.padded_x),
                                                       static_cast<std::size_t>(c.padded_y)));
  c.coefficients = std::move(coefficients);
  c.nonzero = std::move(nonzero);
  std::fill_n(c.coefficients.data(), c.coefficients.size(), std::int16_t{0});
  std::fill_n(c.nonzero.data(), c.nonzero.size(), std::uint64_t{0});
  return {};
}

// Samples of one block from dequantised coefficients; `flat` when all but its mean are 0.
void Decoder::put_samples(Component& c, const std::int32_t* block, bool flat, int x, int y) {
  std::uint8_t* to = c.plane.samples.data() +
                     static_cast<std::size_t>(y - c.kept.y0) * static_cast<std::size_t>(c.points_y) * c.plane.stride +
                     static_cast<std::size_t>(x - c.kept.x0) * static_cast<std::size_t>(c.points_x);
  if (!flat) return inverse_dct(c.points_x, c.points_y, block, to, c.plane.stride);
  inverse_dct(1, 1, block, to, c.plane.stride);
  for (int row = 0; row < c.points_y; ++row)
    std::fill_n(to + static_cast<std::size_t>(row) * c.plane.stride, c.points_x, *to);
}

// Coefficients of a valid file are far smaller; the clamp keeps the transform's sums of broken ones within reason.
std::int32_t dequantised(int value, std::int32_t step) { return std::clamp(value * step, -32767, 32767); }

// Passes over the rest of a block from zigzag position k.
[[gnu::always_inline]] inline bool skip_rest(BitReader& reader, const HuffmanTable& ac, int k) {
  constexpr int kLookups = 56 / HuffmanTable::kSkipBits;  // that one fill serves
  while (k < 64) {
    reader.fill_up();
    // Several symbols at once, unless the block could be full before the last of them: then the bits after it belong to
    // the next block.
    int lookups = 0;
    for (; lookups < kLookups; ++lookups) {
      const auto skip = ac.skip(reader);
      const int next = k + skip.advance();
      if (skip.bits() == 0 || next > 63) break;
      reader.drop(skip.bits());
      if (skip.ends()) return true;
      k = next;
    }
    if (lookups > 0) continue;
    const int symbol = ac.decode(reader);
    if (symbol < 0) return false;
    const int bits = symbol & 15;
    if (bits == 0 && symbol != 0xF0) return true;
    if (bits != 0) reader.drop(bits);
    k += (symbol >> 4) + 1;
    if (k > 64 && bits != 0) return false;
  }
  return true;
}

bool Decoder::sequential_block(Component& c, const HuffmanTable& dc, const HuffmanTable& ac, int x, int y) {
  Borrowed borrowed(reader_);
  BitReader& reader = borrowed.reader;
  reader.fill();
  const int size = dc.decode(reader);
  if (size < 0 || size > 15) return false;
  c.prediction = static_cast<std::int16_t>(c.prediction + extend(reader.take(size), size));
  const bool kept = c.kept.holds(x, y);
  const int last = kept ? c.last : 0;
  block_[0] = dequantised(c.prediction, c.quantisation[0]);
  Filled rest(block_);
  int k = 1;
  bool ended = false;
  while (k <= last) {
    reader.fill();
    int value = 0;
    if (const auto fast = ac.coefficient(reader); fast.bits != 0) {
      reader.drop(fast.bits);
      k += fast.run;
      value = fast.value;
    } else {
      const int symbol = ac.decode(reader);
      if (symbol < 0) return false;
      const int bits = symbol & 15;
      if (bits == 0) {
        ended = symbol != 0xF0;
        if (ended) break;
        k += 16;
        continue;
      }
      k += symbol >> 4;
      value = extend(reader.take(bits), bits);
    }
    if (k > 63) return false;
    const std::size_t place = kNatural[static_cast<std::size_t>(k)];
    rest.set(place, dequantised(value, c.quantisation[place]));
    ++k;
  }
  if (!ended && !skip_rest(reader, ac, k)) return false;
  if (kept) put_samples(c, block_, rest.none(), x, y);
  return true;
}

// Where a block takes one look-up it need not be woven in.
[[gnu::noinline]] void Decoder::fill() { reader_.fill(); }

bool Decoder::dc_first(Component& c, const HuffmanTable& dc, int low, int x, int y) {
  fill();
  const int size = dc.decode(reader_);
  if (size < 0 || size > 15) return false;
  c.prediction = static_cast<std::int16_t>(c.prediction + extend(reader_.take(size), size));
  if (std::int16_t* values = stored(c, x, y)) values[0] = static_cast<std::int16_t>(c.prediction * (1 << low));
  return true;
}

bool Decoder::dc_refine(Component& c, int low, int x, int y) {
  fill();
  const bool bit = reader_.take(1) != 0;
  std::int16_t* values = stored(c, x, y);
  if (bit && values != nullptr) values[0] = static_cast<std::int16_t>(values[0] | 1 << low);
  return true;
}

bool Decoder::ac_first(Component& c, const HuffmanTable& ac, const Scan& scan, int x, int y) {
  if (end_of_band_ > 0) {
    --end_of_band_;
    return true;
  }
  Borrowed borrowed(reader_);
  BitReader& reader = borrowed.reader;
  std::int16_t* values = stored(c, x, y);
  std::uint64_t& known = nonzero(c, x, y);
  for (int k = scan.first; k <= scan.last; ++k) {
    reader.fill();
    int value = 0;
    if (const auto fast = ac.coefficient(reader); fast.bits != 0) {
      reader.drop(fast.bits);
      k += fast.run;
      value = fast.value;
    } else {
      const int symbol = ac.decode(reader);
      if (symbol < 0) return false;
      const int run = symbol >> 4;
      const int bits = symbol & 15;
      if (bits == 0) {
        if (run == 15) {
          k += 15;
          continue;
        }
        end_of_band_ = (1 << run) - 1 + static_cast<int>(reader.take(run));
        return true;
      }
      k += run;
      value = extend(reader.take(bits), bits);
    }
    if (k > 63) return false;
    known |= std::uint64_t{1} << k;
    if (values != nullptr && k <= c.last) values[k] = static_cast<std::int16_t>(value * (1 << scan.low));
  }
  return true;
}

// One more bit for every coefficient at the zigzag positions in `places`, all known not to be 0. Those that nobody
// needs are passed over together.
[[gnu::always_inline]] inline void Decoder::refine(BitReader& reader, const Component& c, std::int16_t* values,
                                                   std::uint64_t places, int low) {
  std::uint64_t needed = values == nullptr ? 0 : places & places_to(c.last);  // the first of `places`
  for (int left = std::popcount(places); left > 0;) {
    const int now = std::min(left, 32);
    left -= now;
    reader.fill();
    std::uint32_t bits = reader.take(now) << (32 - now);
    for (int i = now; i > 0 && needed != 0; --i, bits <<= 1, needed &= needed - 1) {
      std::int16_t& value = values[std::countr_zero(needed)];
      // Without a branch: these bits cannot be predicted.
      const int step = value < 0 ? -(1 << low) : 1 << low;
      value = static_cast<std::int16_t>(value + (step & -static_cast<int>(bits >> 31)));
    }
  }
}

// The place of the zero that `run` other zeros come before, among the places `ahead` (all from one place on); 0 when
// there are not as many.
inline std::uint64_t after_zeros(std::uint64_t ahead, std::uint64_t known, int run) {
  // As many places as zeros are wanted, then one more for each on the way that is none, until that brings no more:
  // faster than from zero to zero.
  const int first = std::countr_zero(ahead);
  const std::uint64_t passed = known >> first;
  int places = run;
  for (int before = -1; places != before && places < 63;) {
    before = places;
    places = run + std::popcount(passed & ((std::uint64_t{2} << places) - 1));
  }
  return places > 63 - first ? 0 : ahead & (std::uint64_t{1} << (first + places));
}

bool Decoder::ac_refine(Component& c, const HuffmanTable& ac, const Scan& scan, int x, int y) {
  std::uint64_t& known = nonzero(c, x, y);
  // The positions of the band that have not been passed yet.
  std::uint64_t ahead = places_to(scan.last) & ~std::uint64_t{0} << scan.first;
  if (end_of_band_ > 0 && (ahead & known) == 0) {
    --end_of_band_;
    return true;
  }
  Borrowed borrowed(reader_);
  BitReader& reader = borrowed.reader;
  std::int16_t* values = stored(c, x, y);
  while (ahead != 0) {
    int fresh = 0;
    std::uint64_t target = 0;
    std::uint64_t before = ahead;  // places to refine
    if (end_of_band_ == 0) {
      reader.fill();
      const int symbol = ac.decode(reader);
      if (symbol < 0 || (symbol & 15) > 1) return false;
      const int run = symbol >> 4;
      if ((symbol & 15) == 1) fresh = reader.take(1) != 0 ? 1 << scan.low : -(1 << scan.low);
      if (fresh == 0 && run < 15) {
        end_of_band_ = (1 << run) + static_cast<int>(reader.take(run));
      } else {
        // Over `run` zeros to the zero that becomes `fresh`, refining what is not zero on the way.
        target = after_zeros(ahead, known, run);
        if (target != 0) before &= target - 1;
      }
    }
    refine(reader, c, values, before & known, scan.low);
    ahead &= ~(before | target);
    if (fresh == 0) continue;
    if (target == 0) return false;
    known |= target;
    const int k = std::countr_zero(target);
    if (values != nullptr && k <= c.last) values[k] = static_cast<std::int16_t>(fresh);
  }
  if (end_of_band_ > 0) --end_of_band_;
  return true;
}

// Sequential pictures may leave out the tables that nearly all of them have: motion JPEG does.
void Decoder::take_standard_tables(const Scan& scan, int place) {
  const auto take = [&](std::array<HuffmanTable, 4>& tables, HuffmanTable::Kind kind, int number) {
    const auto which = static_cast<std::size_t>(number);
    if (which < 2 && !huffman_seen_[kind == HuffmanTable::Kind::kDc ? 0 : 1][which] && !tables[which].present())
      tables[which].build_standard(kind, which == 1);
  };
  if (frame_.progressive) return;
  take(dc_, HuffmanTable::Kind::kDc, scan.dc_table[place]);
  take(ac_, HuffmanTable::Kind::kAc, scan.ac_table[place]);
}

Decoder::Check Decoder::begin_scan(const Scan& scan) {
  for (int i = 0; i < scan.count; ++i) {
    Component& c = components_[scan.component[i]];
    c.prediction = 0;
    const bool needs_dc = scan.first == 0 && scan.high == 0;
    const bool needs_ac = !frame_.progressive || scan.first > 0;
    take_standard_tables(scan, i);
    if ((needs_dc && !dc_[static_cast<std::size_t>(scan.dc_table[i])].present()) ||
        (needs_ac && !ac_[static_cast<std::size_t>(scan.ac_table[i])].present())) {
      return fail(ErrorCode::kCorruptImage, "a JPEG Huffman table is missing");
    }
    const bool all_needed =
        c.last == 63 && c.kept.count() == static_cast<std::size_t>(c.padded_x) * static_cast<std::size_t>(c.padded_y);
    if (!frame_.progressive && !all_needed) ac_[static_cast<std::size_t>(scan.ac_table[i])].prepare_skips();
    if (c.quantised) continue;
    if (!quantisation_seen_[c.frame.table])
      return fail(ErrorCode::kCorruptImage, "a JPEG quantisation table is missing");
    for (std::size_t k = 0; k < 64; ++k) c.quantisation[kNatural[k]] = quantisation_[c.frame.table][k];
    c.quantised = true;
  }
  end_of_band_ = 0;
  return {};
}

Decoder::Check Decoder::restart(const Scan& scan, int index) {
  const auto marker = find_marker(bytes_, reader_.position(), true);
  if (!marker || bytes_[*marker + 1] != kRst0 + index % 8) return fail(ErrorCode::kCorruptImage, "");
  reader_ = BitReader(bytes_, *marker + 2);
  for (int i = 0; i < scan.count; ++i) components_[scan.component[i]].prediction = 0;
  end_of_band_ = 0;
  return {};
}

// One block of whatever kind of scan this is; false when its bits make no sense.
bool Decoder::decode_block(const Scan& scan, int place, Component& c, int x, int y) {
  const HuffmanTable& dc = dc_[static_cast<std::size_t>(scan.dc_table[place])];
  const HuffmanTable& ac = ac_[static_cast<std::size_t>(scan.ac_table[place])];
  if (!frame_.progressive) return sequential_block(c, dc, ac, x, y);
  if (scan.first == 0) return scan.high == 0 ? dc_first(c, dc, scan.low, x, y) : dc_refine(c, scan.low, x, y);
  return scan.high == 0 ? ac_first(c, ac, scan, x, y) : ac_refine(c, ac, scan, x, y);
}

// Decodes every block of the scan in its order, minding restarts and the end of the data.
Decoder::Check Decoder::each_block(const Scan& scan) {
  Component& only = components_[scan.component[0]];
  const bool interleaved = scan.count > 1;
  const int across = interleaved ? units_x_ : only.blocks_x;
  const int down = interleaved ? units_y_ : only.blocks_y;
  int left = restart_interval_;
  int restarts = 0;
  const auto stop = [&](int y) {
    return incomplete(reader_.overrun() || reader_.position() >= bytes_.size(), static_cast<double>(y) / down);
  };
  for (int y = 0; y < down; ++y) {
    for (int x = 0; x < across; ++x) {
      if (restart_interval_ > 0 && left-- == 0) {
        if (!restart(scan, restarts++)) return stop(y);
        left = restart_interval_ - 1;
      }
      if (!interleaved) {
        if (!decode_block(scan, 0, only, x, y)) return stop(y);
      } else {
        for (int i = 0; i < scan.count; ++i) {
          Component& c = components_[scan.component[i]];
          for (int v = 0; v < c.frame.v; ++v) {
            for (int h = 0; h < c.frame.h; ++h) {
              if (!decode_block(scan, i, c, x * c.frame.h + h, y * c.frame.v + v)) return stop(y);
            }
          }
        }
      }
      if (reader_.overrun()) return stop(y);
    }
  }
  return {};
}

// Gives the place where the next marker is looked for.
Expected<std::size_t> Decoder::decode_scan(const Scan& scan, std::size_t at) {
  DERMLET_CHECK(begin_scan(scan));
  reader_ = BitReader(bytes_, at);
  // Where only the mean of each block is needed, scans of the rest are passed over without being decoded.
  if (scan.first > 0 && components_[scan.component[0]].last == 0) return at;
  DERMLET_CHECK(each_block(scan));
  if (scan.first == 0) {
    for (int i = 0; i < scan.count; ++i) components_[scan.component[i]].scanned = true;
  }
  return reader_.position();
}

void Decoder::transform_stored() {
  for (int i = 0; i < frame_.count; ++i) {
    Component& c = components_[i];
    alignas(16) std::int32_t block[64] = {};
    for (int y = c.kept.y0; y < c.kept.y1; ++y) {
      for (int x = c.kept.x0; x < c.kept.x1; ++x) {
        const std::int16_t* values = stored(c, x, y);
        const bool flat = (nonzero(c, x, y) & places_to(c.last)) == 0;
        for (int k = 0; k <= (flat ? 0 : c.last); ++k) {
          const std::size_t place = kNatural[static_cast<std::size_t>(k)];
          block[place] = dequantised(values[k], c.quantisation[place]);
        }
        put_samples(c, block, flat, x, y);
      }
    }
  }
}

// What the channels are, decided as libjpeg does (jdapimin.c, default_decompress_parms).
Colour Decoder::colour() const {
  if (frame_.count == 1) return Colour::kGrey;
  if (frame_.count == 4) return adobe_transform_ <= 0 ? Colour::kCmyk : Colour::kYcck;
  if (jfif_) return Colour::kYcc;
  if (adobe_transform_ >= 0) return adobe_transform_ == 0 ? Colour::kRgb : Colour::kYcc;
  const auto id = [&](int i) { return frame_.components[i].id; };
  return id(0) == 'R' && id(1) == 'G' && id(2) == 'B' ? Colour::kRgb : Colour::kYcc;
}

Expected<Reduced> Decoder::output(int reduction, bool inks) const {
  const int points = kBlockSide / reduction;
  const BlockRange& kept = components_[0].kept;
  const int h = components_[0].frame.h;
  const int v = components_[0].frame.v;
  Reduced result;
  result.reduction = reduction;
  result.x = kept.x0 / h * h_max_ * points;
  result.y = kept.y0 / v * v_max_ * points;
  const int width = std::min((kept.x1 - kept.x0) / h * h_max_ * points, divided_up(frame_.width, reduction) - result.x);
  const int height =
      std::min((kept.y1 - kept.y0) / v * v_max_ * points, divided_up(frame_.height, reduction) - result.y);
  const Plane* planes[4] = {};
  for (int i = 0; i < frame_.count; ++i) planes[i] = &components_[i].plane;
  const std::span<const Plane* const> channels(planes, static_cast<std::size_t>(frame_.count));
  DERMLET_TRY(image, to_image(channels, colour(), inks, width, height, reduction == 1));
  result.image = std::move(image);
  return result;
}

Expected<Reduced> Decoder::decode(const Rect& part, int reduction, bool inks) {
  bool ended = false;
  for (std::size_t at = 2; !ended;) {
    DERMLET_TRY(segment, next_segment(bytes_, at));
    if (!segment) break;
    const auto& [marker, payload, end] = *segment;
    at = end;
    Check done;
    if (marker == kEoi) {
      ended = true;
    } else if (is_frame(marker)) {
      auto frame = read_frame(*segment);
      if (!frame || frame_seen_) return fail(ErrorCode::kCorruptImage, "the JPEG has a second frame header");
      frame_ = *frame;
      frame_seen_ = true;
      done = set_up(part, reduction);
    } else if (marker == kDqt) {
      done = read_quantisation(payload);
    } else if (marker == kDht) {
      done = read_huffman(payload);
    } else if (marker == kDri) {
      restart_interval_ = read_u16(payload, 0, ByteOrder::kBig).value_or(0);
    } else if (marker == kApp0 && starts_with(payload, "JFIF\0"sv) && payload.size() >= 14) {
      jfif_ = jfif_ || !scan_seen_;
    } else if (marker == kApp14 && starts_with(payload, "Adobe"sv) && payload.size() >= 12) {
      if (!scan_seen_) adobe_transform_ = payload[11];
    } else if (marker == kSos) {
      scan_seen_ = true;
      if (!frame_seen_) return fail(ErrorCode::kCorruptImage, "the JPEG has picture data before its frame header");
      effort_ += 10;
      DERMLET_TRY(scan, read_scan(payload));
      DERMLET_TRY(next, decode_scan(scan, at));
      at = next;
    }
    DERMLET_CHECK(done);
    if (effort_ > kMostEffort)
      return fail(ErrorCode::kCorruptImage, "the JPEG has more passes than a picture can need");
  }
  for (int i = 0; i < frame_.count; ++i) {
    if (!components_[i].scanned)
      return fail(ErrorCode::kCorruptImage, "the JPEG ends before all of its channels were there");
  }
  if (!frame_seen_) return fail(ErrorCode::kCorruptImage, "the JPEG holds no picture");
  if (frame_.progressive) {
    // Baseline files without an end marker are whole all the same; of progressive ones it is unknown which passes are
    // missing.
    if (!ended) return fail(ErrorCode::kCorruptImage, "the progressive JPEG ends before its last pass");
    transform_stored();
  }
  return output(reduction, inks);
}

}  // namespace
}  // namespace dermlet::jpeg

namespace dermlet {

Expected<Reduced> decode_jpeg(Bytes bytes, const Rect& part, int reduction, bool inks) {
  // Tables and planes' bookkeeping are too large for a small stack.
  const auto decoder = std::unique_ptr<jpeg::Decoder>(new (std::nothrow) jpeg::Decoder(bytes));
  if (!decoder) return fail(ErrorCode::kImageTooLarge, "not enough memory for the picture");
  return decoder->decode(part, reduction, inks);
}

}  // namespace dermlet
