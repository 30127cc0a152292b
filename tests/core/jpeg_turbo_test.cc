// The core's JPEG beside libjpeg-turbo's own: equal at full size, close where both reduce while they decode.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "formats/inspect.h"
#include "formats/jpeg/jpeg.h"
#include "scaled_jpeg.h"
#include "support.h"

namespace dermlet {
namespace {

using testing::picture_bytes;
using testing::scaled_jpeg;

// Of every sampling, both processes, with restarts, grey, and with sides that are no whole number of blocks.
constexpr const char* kPictures[] = {"spot.jpg",         "spot-progressive.jpg",
                                     "spot-444.jpg",     "spot-422.jpg",
                                     "spot-restart.jpg", "spot-gray.jpg",
                                     "spot-odd.jpg",     "spot-odd-progressive.jpg",
                                     "spot-large.jpg",   "spot-large-progressive.jpg"};

struct Difference {
  double mean = 0;
  int greatest = 0;
};

Difference difference(const char* name, int reduction) {
  const auto bytes = picture_bytes(name);
  const Header header = inspect(bytes).value();
  const Image wanted = scaled_jpeg(bytes, static_cast<unsigned>(reduction));
  const auto found = decode_jpeg(bytes, {0, 0, header.width, header.height}, reduction);
  EXPECT_TRUE(found) << name;
  EXPECT_FALSE(wanted.empty()) << name;
  if (!found || wanted.empty()) return {};
  EXPECT_EQ(found->image.width, wanted.width) << name;
  EXPECT_EQ(found->image.height, wanted.height) << name;
  Difference result;
  for (std::size_t i = 0; i < wanted.pixels.size(); ++i) {
    const int level = std::abs(int{found->image.pixels.data()[i]} - int{wanted.pixels.data()[i]});
    result.mean += level;
    result.greatest = std::max(result.greatest, level);
  }
  result.mean /= static_cast<double>(wanted.pixels.size());
  return result;
}

TEST(JpegTurbo, WholePicturesAreTheSameToTheBit) {
  for (const char* name : kPictures) EXPECT_EQ(difference(name, 1).greatest, 0) << name;
}

// libjpeg-turbo leaves other frequencies out of its smaller transforms (jidctred.c) than formats/jpeg/idct.h: by 2 and
// 4 it reads more of each block than it needs.
TEST(JpegTurbo, ReducedPicturesAreClose) {
  struct Bound {
    int reduction;
    double mean;  // levels of 255; measured 0.23, 0.53 and 0.06 at most
  };
  for (const char* name : kPictures) {
    for (const Bound& bound : {Bound{2, 0.3}, Bound{4, 0.6}, Bound{8, 0.1}}) {
      const Difference found = difference(name, bound.reduction);
      EXPECT_LE(found.mean, bound.mean) << name << " by " << bound.reduction;
      EXPECT_LE(found.greatest, 10) << name << " by " << bound.reduction;  // measured 8
    }
  }
}

}  // namespace
}  // namespace dermlet
