#include "decision/rejection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <sstream>

#include "support.h"

namespace dermlet {
namespace {

using testing::from_hex;
using testing::tests_dir;

std::vector<float> numbers(const std::string& list) {
  std::vector<float> values;
  std::istringstream fields(list);
  for (std::string field; std::getline(fields, field, ',');) values.push_back(std::stof(field));
  return values;
}

void put(std::vector<std::uint8_t>& file, std::uint32_t word) {
  for (int shift = 0; shift < 32; shift += 8) file.push_back(static_cast<std::uint8_t>(word >> shift));
}

void put(std::vector<std::uint8_t>& file, float value) {
  std::uint32_t word = 0;
  std::memcpy(&word, &value, sizeof word);
  put(file, word);
}

struct Sizes {
  std::uint32_t embedding = 2, projected = 2, inside = 2, outside = 1, neighbour = 1, flags = 0;
};

// The identity around (1, 1); inside points (0, 0) and (3, 0), an outside point (0, 4); the score is the distance plus
// half the energy.
std::vector<std::uint8_t> file_of(const Sizes& sizes,
                                  const std::vector<float>& values = {1, 1, 1, 0, 0, 1, 0, 0, 3, 0, 0, 4}) {
  std::vector<std::uint8_t> file = {'D', 'R', 'J', '1'};
  for (const std::uint32_t word :
       {sizes.embedding, sizes.projected, sizes.inside, sizes.outside, sizes.neighbour, sizes.flags})
    put(file, word);
  put(file, 0.5f);
  put(file, 1.0f);
  for (const float value : values) put(file, value);
  return file;
}

float score_of(const Sizes& sizes, std::vector<float> embedding) {
  const std::vector<float> logits = {0, 0};  // energy -log 2
  return rejection_score(*read_rejection_model(file_of(sizes)), logits, embedding).value();
}

TEST(Rejection, ScoresAreTheTrainingToolsOwn) {
  std::ifstream golden(tests_dir() / "golden/rejection.golden");
  RejectionModel model;
  int cases = 0;
  for (std::string line; std::getline(golden, line);) {
    std::istringstream fields(line);
    std::string kind, first, second;
    fields >> kind >> first >> second;
    if (kind == "model") {
      auto read = read_rejection_model(from_hex(second));
      ASSERT_TRUE(read) << first;
      model = std::move(*read);
      continue;
    }
    double expected = 0;
    fields >> expected;
    const auto score = rejection_score(model, numbers(first), numbers(second));
    ASSERT_TRUE(score);
    EXPECT_NEAR(*score, expected, 1e-4 * std::max(1.0, std::abs(expected)));
    ++cases;
  }
  EXPECT_EQ(cases, 24);
}

TEST(Rejection, IsNearestInsideLessNearestOutsidePlusEnergy) {
  const double energy = -0.5 * std::numbers::ln2;
  EXPECT_NEAR(score_of({}, {1, 1}), 0 - 16 + energy, 1e-6);  // at an inside point
  EXPECT_NEAR(score_of({}, {1, 5}), 16 - 0 + energy, 1e-6);  // at the outside point
  Sizes second;
  second.neighbour = 2;
  EXPECT_NEAR(score_of(second, {1, 1}), 9 - 16 + energy, 1e-6);
}

TEST(Rejection, PointsAtOneDistanceCountEach) {
  Sizes sizes{.inside = 3, .outside = 0};
  const std::vector<float> around = {0, 0, 1, 0, 0, 1, 2, 0, -2, 0, 0, 3};  // two at distance 4 of the origin, one at 9
  const std::vector<float> logits = {0}, embedding = {0, 0};
  for (const auto& [k, expected] : {std::pair(1u, 4.0f), std::pair(2u, 4.0f), std::pair(3u, 9.0f)}) {
    sizes.neighbour = k;
    EXPECT_FLOAT_EQ(rejection_score(*read_rejection_model(file_of(sizes, around)), logits, embedding).value(), expected)
        << k;
  }
}

TEST(Rejection, UnitLengthIgnoresTheLength) {
  Sizes sizes;
  sizes.flags = 1;
  EXPECT_FLOAT_EQ(score_of(sizes, {3, 4}), score_of(sizes, {30, 40}));
  EXPECT_TRUE(std::isfinite(score_of(sizes, {0, 0})));
}

TEST(Rejection, WithoutOutsidePointsItIsTheDistanceAlone) {
  Sizes sizes;
  sizes.outside = 0;
  const auto model = read_rejection_model(file_of(sizes, {1, 1, 1, 0, 0, 1, 0, 0, 3, 0}));
  ASSERT_TRUE(model);
  const std::vector<float> logits = {0}, embedding = {1, 3};
  EXPECT_FLOAT_EQ(rejection_score(*model, logits, embedding).value(), 4);
}

TEST(Rejection, AFileThatIsNotWholeIsRefused) {
  const std::vector<std::uint8_t> whole = file_of({});
  ASSERT_TRUE(read_rejection_model(whole));
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(read_rejection_model(Bytes(whole).first(length))) << length;
  std::vector<std::uint8_t> longer = whole;
  longer.push_back(0);
  EXPECT_FALSE(read_rejection_model(longer));
  std::vector<std::uint8_t> other = whole;
  other[3] = '2';
  EXPECT_EQ(read_rejection_model(other).error().code, ErrorCode::kInvalidArgument);
}

TEST(Rejection, SizesThatMakeNoSenseAreRefused) {
  const std::uint32_t huge = 0xFFFFFFFFu;
  for (const Sizes& sizes :
       {Sizes{.embedding = 0}, Sizes{.projected = 0}, Sizes{.inside = 0}, Sizes{.neighbour = 0}, Sizes{.neighbour = 3},
        Sizes{.inside = 65, .neighbour = 65}, Sizes{.flags = 2}, Sizes{.embedding = huge}, Sizes{.projected = huge},
        Sizes{.inside = huge}, Sizes{.outside = huge}, Sizes{.embedding = 0x40000000u, .projected = 4},
        Sizes{.embedding = 8193}, Sizes{.projected = 513}, Sizes{.inside = 16385}}) {
    EXPECT_FALSE(read_rejection_model(file_of(sizes)));
  }
}

TEST(Rejection, ValuesThatAreNotFiniteAreRefused) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> values = {1, 1, 1, 0, 0, 1, 0, 0, 3, 0, 0, 4};
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::vector<float> spoiled = values;
      spoiled[i] = bad;
      EXPECT_FALSE(read_rejection_model(file_of({}, spoiled))) << i;
    }
    const auto model = read_rejection_model(file_of({}));
    const std::vector<float> good = {1, 2}, spoiled = {1, bad};
    EXPECT_FALSE(rejection_score(*model, good, spoiled));
    EXPECT_FALSE(rejection_score(*model, spoiled, good));
  }
}

TEST(Rejection, AnEmbeddingOfAnotherLengthIsRefused) {
  const auto model = read_rejection_model(file_of({}));
  const std::vector<float> logits = {1, 2}, longer = {1, 2, 3};
  EXPECT_EQ(rejection_score(*model, logits, longer).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(rejection_score(*model, logits, {}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(rejection_score(*model, {}, logits).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace dermlet
