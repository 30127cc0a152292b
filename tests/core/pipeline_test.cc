#include "pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>

#include "support.h"

namespace dermlet {
namespace {

using testing::picture_bytes;
using testing::values_of;

PrepareSpec spec_of(int side) {
  PrepareSpec spec;
  spec.tensor = {side, side, Layout::kNchw, ChannelOrder::kRgb, {127, 127, 127}, {128, 128, 128}};
  spec.quality = {64, {}, {}, {}, 2};
  return spec;
}

TEST(Pipeline, TheTensorIsTheViewNormalised) {
  const auto prepared = prepare(picture_bytes("spot.jpg"), spec_of(224));
  ASSERT_TRUE(prepared);
  ASSERT_EQ(prepared->tensor.size(), 3u * 224 * 224);
  for (std::size_t i = 0; i < 224 * 224; ++i) {
    for (std::size_t c = 0; c < 3; ++c)
      ASSERT_EQ(prepared->tensor.data()[c * 224 * 224 + i],
                (prepared->view.pixels.data()[3 * i + c] - 127.0f) / 128.0f);
  }
  EXPECT_EQ(prepared->region, (Rect{125, 0, 750, 750}));
  EXPECT_TRUE(prepared->preview.empty());
  EXPECT_TRUE(prepared->quality.usable);
}

TEST(Pipeline, AllEightOrientationsShowTheSamePicture) {
  const auto upright = prepare(picture_bytes("orientation-1.jpg"), spec_of(96));
  ASSERT_TRUE(upright);
  for (int orientation = 2; orientation <= 8; ++orientation) {
    const auto turned = prepare(picture_bytes("orientation-" + std::to_string(orientation) + ".jpg"), spec_of(96));
    ASSERT_TRUE(turned) << orientation;
    EXPECT_EQ(turned->source.orientation, orientation);
    EXPECT_EQ(turned->source.width, 240);
    EXPECT_EQ(turned->source.height, 180);
    double difference = 0;
    for (std::size_t i = 0; i < upright->view.pixels.size(); ++i)
      difference += std::abs(int{upright->view.pixels.data()[i]} - int{turned->view.pixels.data()[i]});
    EXPECT_LT(difference / static_cast<double>(upright->view.pixels.size()), 1.5)
        << orientation;  // JPEG blocks fall differently
  }
}

// Whether it comes from the decoding that the first tensor came from, or not.
TEST(Pipeline, TheWholePictureIsWhatItIsByItself) {
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(testing::tests_dir() / "pictures")) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file()) continue;
    const auto bytes = picture_bytes(name);
    for (const auto& [side, squashed] : {std::pair{48, 64}, std::pair{96, 16}}) {
      PrepareSpec alone = spec_of(side);
      alone.preview_side = side == 48 ? 128 : 0;
      PrepareSpec both = alone;
      both.whole = WholeSpec{spec_of(squashed).tensor, Filter::kBicubic};
      PrepareSpec whole = spec_of(squashed);
      whole.fit = Fit::kStretch;
      const auto first = prepare(bytes, alone);
      const auto second = prepare(bytes, whole);
      if (!first) continue;
      for (const bool cropped : {false, true}) {
        const Rect part = {first->source.width / 3, 0, std::max(first->source.width / 2, 1), first->source.height};
        const auto crop = cropped ? std::optional(part) : std::nullopt;
        const auto together = prepare(bytes, both, crop);
        const auto by_itself = prepare(bytes, alone, crop);
        ASSERT_TRUE(together && by_itself && second) << name;
        EXPECT_TRUE(std::ranges::equal(together->tensor.span(), by_itself->tensor.span())) << name << ' ' << side;
        EXPECT_TRUE(std::ranges::equal(together->whole.span(), second->tensor.span())) << name << ' ' << squashed;
        EXPECT_TRUE(by_itself->whole.empty());
      }
      ++seen;
    }
  }
  EXPECT_GT(seen, 80u);
}

TEST(Pipeline, TheWholePictureAtFullSizeIsWhatAViewOfThatSizeShows) {
  for (const char* const name : {"orientation-6.jpg", "p3.jpg", "spot-alpha.png", "spot-gray.bmp"}) {
    const auto bytes = picture_bytes(name);
    const auto whole = read_whole(Bytes(bytes));
    ASSERT_TRUE(whole) << name;
    PrepareSpec spec = spec_of(1);
    spec.tensor.width = whole->source.width;
    spec.tensor.height = whole->source.height;
    spec.fit = Fit::kStretch;
    const auto prepared = prepare(bytes, spec);
    ASSERT_TRUE(prepared) << name;
    EXPECT_EQ(values_of(whole->image), values_of(prepared->view)) << name;
    EXPECT_EQ(whole->source.colour, prepared->source.colour) << name;
  }
  EXPECT_EQ(read_whole(Bytes(picture_bytes("cut-off.jpg"))).error().code, ErrorCode::kCorruptImage);
}

TEST(Pipeline, PreviewIsTheWholePictureAndNeverEnlarged) {
  PrepareSpec spec = spec_of(64);
  spec.preview_side = 100;
  const auto shrunk = prepare(picture_bytes("orientation-6.jpg"), spec);
  EXPECT_EQ(shrunk->preview.width, 100);
  EXPECT_EQ(shrunk->preview.height, 75);
  spec.preview_side = 1000;
  const auto whole = prepare(picture_bytes("orientation-6.jpg"), spec);
  EXPECT_EQ(whole->preview.width, 240);
  EXPECT_EQ(whole->preview.height, 180);
}

TEST(Pipeline, ACropIsWhatIsShown) {
  const auto cropped = prepare(picture_bytes("spot.png"), spec_of(64), Rect{40, 30, 120, 90});
  ASSERT_TRUE(cropped);
  EXPECT_EQ(cropped->region, (Rect{55, 30, 90, 90}));

  PrepareSpec middle = spec_of(64);
  middle.crop_pct = 0.5;
  const auto inner = prepare(picture_bytes("spot.png"), middle, Rect{40, 30, 120, 90});
  ASSERT_TRUE(inner);
  EXPECT_EQ(inner->region, cropped->region) << "what a person chose is shown whole";
  const auto shown = prepare(picture_bytes("spot.png"), middle);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->region, fitted_region({0, 0, shown->source.width, shown->source.height}, 64, 64, Fit::kCover, 0.5));
  for (const double nonsense : {0.0, -1.0, 1.01, std::nan("")}) {
    middle.crop_pct = nonsense;
    const auto refused = prepare(picture_bytes("spot.png"), middle);
    ASSERT_FALSE(refused) << nonsense;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(prepare(picture_bytes("spot.png"), spec_of(64), Rect{200, 30, 120, 90}).error().code,
            ErrorCode::kInvalidArgument);
}

TEST(Pipeline, UnusablePicturesSaySo) {
  EXPECT_FALSE(prepare(picture_bytes("flat.png"), spec_of(224))->quality.usable);
  EXPECT_FALSE(prepare(picture_bytes("tiny.png"), spec_of(224))->quality.usable);
}

TEST(Pipeline, TheSameBytesGiveTheSameTensor) {
  const auto first = prepare(picture_bytes("spot-progressive.jpg"), spec_of(224));
  const auto second = prepare(picture_bytes("spot-progressive.jpg"), spec_of(224));
  EXPECT_EQ(values_of(first->view), values_of(second->view));
}

TEST(Pipeline, WrongSpecsAreRefused) {
  EXPECT_EQ(prepare(picture_bytes("spot.png"), spec_of(0)).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(prepare(picture_bytes("spot.png"), spec_of(100'000)).error().code, ErrorCode::kInvalidArgument);
}

// Of a lesion of one usable picture.
Expected<Interpretation> interpret_one(const ModelOutputs& outputs, const DecisionSpec& spec,
                                       std::optional<Explain> explain = {}) {
  const LesionOutputs picture{outputs, spec, true, explain};
  return interpret(std::span(&picture, 1), {});
}

TEST(Pipeline, InterpretExplainsTheFirstClassUnlessTold) {
  const std::vector<float> logits = {0, 3};
  const std::vector<float> maps = {1, 0, 0, 2};
  DecisionSpec spec;
  spec.sets.limits = {0.9f, 0.9f};
  spec.concern = {Concern::kLow, Concern::kHigh};
  spec.rejection_threshold = 100;
  const ModelOutputs outputs{logits, maps, 1, 2, {}};
  EXPECT_EQ(interpret_one(outputs, spec, Explain{-1, 4, 4})->heat_map->class_index, 1);
  EXPECT_EQ(interpret_one(outputs, spec, Explain{0, 4, 4})->heat_map->class_index, 0);
  EXPECT_FALSE(interpret_one(outputs, spec)->heat_map);
  EXPECT_EQ(interpret_one(outputs, spec, Explain{7, 4, 4}).error().code, ErrorCode::kInvalidArgument);
  const ModelOutputs without{logits, {}, 0, 0, {}};
  EXPECT_FALSE(interpret_one(without, spec, Explain{-1, 4, 4})->heat_map);
}

TEST(Pipeline, EightViewsAreOfTheSameSquareUprightFirst) {
  PrepareSpec spec = spec_of(64);
  const auto one = prepare(picture_bytes("spot.png"), spec, Rect{40, 30, 120, 90});
  spec.views = 8;
  const auto all = prepare(picture_bytes("spot.png"), spec, Rect{40, 30, 120, 90});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->tensor.size(), 8 * one->tensor.size());
  EXPECT_TRUE(std::equal(one->tensor.span().begin(), one->tensor.span().end(), all->tensor.span().begin()));
  EXPECT_EQ(values_of(all->view), values_of(one->view));
  spec.tensor.height = 48;
  EXPECT_EQ(prepare(picture_bytes("spot.png"), spec).error().code, ErrorCode::kInvalidArgument);
  spec.views = 4;
  EXPECT_EQ(prepare(picture_bytes("spot.png"), spec)->tensor.size(), 4u * 3 * 64 * 48);
}

DecisionSpec spec_of_two(float temperature) {
  DecisionSpec spec;
  spec.temperature = temperature;
  spec.sets.limits = {0.9f, 0.9f};
  spec.concern = {Concern::kLow, Concern::kHigh};
  spec.rejection_threshold = 100;
  return spec;
}

TEST(Pipeline, InterpretRefusesByTheRejectionModel) {
  RejectionModel model;
  model.embedding_size = model.projected_size = 1;
  model.energy_weight = 0;
  model.distance_weight = 1;
  model.inside_points = 1;
  model.values = {0, 1, 2};
  const std::vector<float> logits = {1, 2}, embedding = {5};
  LesionOutputs picture;
  picture.outputs = {logits, {}, 0, 0, embedding};
  picture.spec.sets.limits = {0.9f, 0.9f};
  picture.spec.concern = {Concern::kLow, Concern::kHigh};
  picture.spec.rejection_threshold = 8;
  const auto outcome = [&] { return interpret(std::span(&picture, 1), {})->decision.outcome; };
  EXPECT_NE(outcome(), Outcome::kNotRecognised);  // energy -2.3
  picture.rejection = &model;
  EXPECT_EQ(outcome(), Outcome::kNotRecognised);  // distance 9
  EXPECT_FLOAT_EQ(interpret(std::span(&picture, 1), {})->decision.rejection, 9);
  picture.usable = false;
  EXPECT_EQ(outcome(), Outcome::kPoorQuality);
  picture.outputs.embedding = {};
  EXPECT_EQ(interpret(std::span(&picture, 1), {}).error().code, ErrorCode::kInvalidArgument);
  picture.outputs.embedding = embedding;
  picture.spec.scores = Scores::kProbabilities;
  EXPECT_EQ(interpret(std::span(&picture, 1), {}).error().code, ErrorCode::kInvalidArgument);
}

TEST(Pipeline, InterpretAveragesViews) {
  // Mean logits 2, 1; the maps' means agree with them, so that the heat map of class 0 less the mean of both is 0.5
  // everywhere: 1 after scaling.
  const std::vector<float> logits = {4, 0, 2, 2, 1, 1, 1, 1};
  std::vector<float> maps;
  for (const float logit : logits) maps.insert(maps.end(), 4, logit);
  const auto interpretation = interpret_one(ModelOutputs{logits, maps, 2, 2, {}, 4}, spec_of_two(1), Explain{-1, 8, 8});
  ASSERT_TRUE(interpretation);
  EXPECT_NEAR(interpretation->decision.probabilities[0], 1 / (1 + std::exp(-1.0)), 1e-6);
  EXPECT_EQ(interpretation->heat_map->class_index, 0);
  EXPECT_EQ(interpretation->heat_map->values, (std::vector<float>(4, 1.0f)));
  EXPECT_EQ(interpret_one(ModelOutputs{logits, maps, 2, 2, {}, 3}, spec_of_two(1)).error().code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(interpret_one(ModelOutputs{logits, maps, 2, 2, {}, 1}, spec_of_two(1)).error().code,
            ErrorCode::kInvalidArgument);
}

TEST(Pipeline, InterpretHoldsEveryViewAndTheFrameToProbabilities) {
  DecisionSpec spec = spec_of_two(1);
  spec.scores = Scores::kProbabilities;
  const std::vector<float> right = {0.25f, 0.75f, 0.5f, 0.5f, 1, 0, 0.125f, 0.875f};
  std::vector<float> wrong = right;
  wrong[0] = 0.5f, wrong[1] = 1.0f, wrong[2] = 0.25f, wrong[3] = 0.25f;  // 1.5 and 0.5: their mean sums to 1
  const auto outputs = [](const std::vector<float>& scores, int views) {
    return ModelOutputs{scores, {}, 0, 0, {}, views};
  };
  EXPECT_TRUE(interpret_one(outputs(right, 4), spec));
  EXPECT_EQ(interpret_one(outputs(wrong, 4), spec).error().code, ErrorCode::kModelCorrupt);

  const std::vector<float> good = {0.25f, 0.75f};
  const std::vector<float> more = {0.5f, 1.0f};
  const std::vector<float> less = {0.25f, 0.25f};
  LesionOutputs picture;
  picture.outputs = outputs(good, 1);
  picture.spec = spec;
  picture.frame_outputs = outputs(good, 1);
  EXPECT_TRUE(interpret(std::span(&picture, 1), {}));
  picture.frame_outputs = outputs(less, 1);
  EXPECT_EQ(interpret(std::span(&picture, 1), {}).error().code, ErrorCode::kModelCorrupt);
  picture.outputs = outputs(more, 1);
  EXPECT_EQ(interpret(std::span(&picture, 1), {}).error().code, ErrorCode::kModelCorrupt);
}

class Lesions : public ::testing::Test {
 protected:
  const std::vector<float> first_logits = {0, 3};
  const std::vector<float> second_logits = {2, 0};
  const std::vector<float> first_maps = {0, 0, 2, 4};
  const std::vector<float> second_maps = {4, 0, 0, 0};
  const CombinationSpec combination{{1, 0.5f}, 1, {{0.9f, 0.9f}, 0, 0}, {}};

  [[nodiscard]] std::vector<LesionOutputs> pictures(bool first_usable, bool second_usable) const {
    return {{{first_logits, first_maps, 1, 2, {}}, spec_of_two(1), first_usable, Explain{-1, 4, 2}},
            {{second_logits, second_maps, 1, 2, {}}, spec_of_two(2), second_usable, Explain{-1, 6, 3}}};
  }
};

TEST_F(Lesions, TwoUsablePicturesAreCombinedAndTheFirstIsShown) {
  const auto interpretation = interpret(pictures(true, true), combination);
  ASSERT_TRUE(interpretation);
  EXPECT_TRUE(interpretation->combined);
  EXPECT_EQ(interpretation->primary_index, 0u);
  // Differences of the log-probabilities: 1 * (0 - 3) + 0.5 * (2 - 0) / 2 = -2.5.
  EXPECT_NEAR(interpretation->decision.probabilities[0], 1 / (1 + std::exp(2.5)), 1e-6);
  EXPECT_NEAR(interpretation->per_picture[0].probabilities[0], 1 / (1 + std::exp(3.0)), 1e-6);
  EXPECT_NEAR(interpretation->per_picture[1].probabilities[0], 1 / (1 + std::exp(-1.0)), 1e-6);
  EXPECT_EQ(interpretation->heat_map->class_index, 1);
  EXPECT_EQ(interpretation->heat_map->values, (std::vector<float>{0.5f, 1}));
  EXPECT_EQ(interpretation->heat_map->overlay.width, 4);
}

TEST_F(Lesions, TheClassShownIsTheLesionsAndNotThePictures) {
  // The second picture is so sure that the lesion's first class is 0, while the first picture, whose map is drawn,
  // prefers class 1.
  const auto interpretation = interpret(pictures(true, true), {{1, 10}, 1, {{0.9f, 0.9f}, 0, 0}, {}});
  EXPECT_EQ(interpretation->per_picture[0].ranking.front(), 1);
  EXPECT_EQ(interpretation->heat_map->class_index, 0);
}

TEST_F(Lesions, WhatIsNotUsableIsLeftOut) {
  const auto second = interpret(pictures(false, true), combination);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->combined);
  EXPECT_EQ(second->primary_index, 1u);
  EXPECT_EQ(second->decision.probabilities, second->per_picture[1].probabilities);
  EXPECT_EQ(second->decision.outcome, second->per_picture[1].outcome);
  EXPECT_EQ(second->decision.rejection_threshold, 100);  // its own
  EXPECT_EQ(second->per_picture[0].outcome, Outcome::kPoorQuality);
  EXPECT_EQ(second->heat_map->overlay.width, 6);
  const auto first = interpret(pictures(true, false), combination);
  EXPECT_EQ(first->primary_index, 0u);
  EXPECT_EQ(first->decision.probabilities, first->per_picture[0].probabilities);
}

TEST_F(Lesions, APictureThatDoesNotShowOneSpotIsLeftOut) {
  auto given = pictures(true, true);
  given[0].framing = Framing::kSeveral;
  const auto second = interpret(given, combination);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->combined);
  EXPECT_EQ(second->primary_index, 1u);
  EXPECT_EQ(second->per_picture[0].outcome, Outcome::kSeveralSpots);
  EXPECT_EQ(second->per_picture[0].tier, Tier::kUnknown);
  EXPECT_TRUE(second->per_picture[0].prediction_set.empty());
  given[1].framing = Framing::kNone;
  const auto neither = interpret(given, combination);
  EXPECT_EQ(neither->decision.outcome, Outcome::kSeveralSpots);  // of the first picture
  EXPECT_EQ(neither->per_picture[1].outcome, Outcome::kNoSpot);
  // What is wrong with the picture itself is said before that.
  given[0].usable = false;
  EXPECT_EQ(interpret(given, combination)->per_picture[0].outcome, Outcome::kPoorQuality);
}

TEST_F(Lesions, ThePictureAndItsFrameAreAveragedAndTheMapIsThePictures) {
  LesionOutputs both = pictures(true, true)[0];
  both.framing = Framing::kBoth;
  both.frame_outputs = ModelOutputs{second_logits, second_maps, 1, 2, {}};
  const auto interpretation = interpret(std::span(&both, 1), {});
  ASSERT_TRUE(interpretation);
  // (0 + 2) / 2 against (3 + 0) / 2.
  EXPECT_NEAR(interpretation->decision.probabilities[0], 1 / (1 + std::exp(0.5)), 1e-6);
  EXPECT_EQ(interpretation->heat_map->values, (std::vector<float>{0.5f, 1}));
  const std::vector<float> three = {1, 2, 3};
  both.frame_outputs = ModelOutputs{three, {}, 0, 0, {}};
  EXPECT_FALSE(interpret(std::span(&both, 1), {}));
}

TEST_F(Lesions, NoUsablePictureIsPoorQuality) {
  const auto interpretation = interpret(pictures(false, false), combination);
  ASSERT_TRUE(interpretation);
  EXPECT_FALSE(interpretation->combined);
  EXPECT_EQ(interpretation->primary_index, 0u);
  EXPECT_EQ(interpretation->decision.outcome, Outcome::kPoorQuality);
  EXPECT_EQ(interpretation->decision.tier, Tier::kUnknown);
  EXPECT_TRUE(interpretation->decision.prediction_set.empty());
  EXPECT_EQ(interpretation->decision.ranking.size(), 2u);
}

TEST_F(Lesions, ViewsAndPicturesTogether) {
  // Eight views of the first picture, their mean as before: the same lesion.
  std::vector<float> logits;
  std::vector<float> maps;
  for (int v = 0; v < 8; ++v) {
    logits.insert(logits.end(), {v % 2 ? 1.0f : -1.0f, 3});
    maps.insert(maps.end(), {v % 2 ? 1.0f : -1.0f, 3});
  }
  auto both = pictures(true, true);
  both[0].outputs = {logits, maps, 1, 1, {}, 8};
  const auto interpretation = interpret(both, combination);
  ASSERT_TRUE(interpretation);
  EXPECT_NEAR(interpretation->decision.probabilities[0], 1 / (1 + std::exp(2.5)), 1e-6);
}

TEST_F(Lesions, NonsenseIsRefused) {
  const auto code = [&](const std::vector<LesionOutputs>& given, const CombinationSpec& spec) {
    return interpret(given, spec).error().code;
  };
  const auto two = pictures(true, true);
  EXPECT_EQ(code({}, combination), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({two[0], two[1], two[0]}, combination), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(two, {{1}, 1, {{0.9f, 0.9f}, 0, 0}, {}}), ErrorCode::kInvalidArgument);
  const std::vector<float> nan = {0, std::numeric_limits<float>::quiet_NaN()};
  auto broken = two;
  broken[1].outputs.logits = nan;
  EXPECT_EQ(code(broken, combination), ErrorCode::kInvalidArgument);
  broken[1].usable = false;  // even where it is left out
  EXPECT_EQ(code(broken, combination), ErrorCode::kInvalidArgument);
  const std::vector<float> three = {1, 2, 3};
  auto other = two;
  other[1].outputs = {three, {}, 0, 0, {}};
  other[1].spec.sets.limits.push_back(0.9f);
  other[1].spec.concern.push_back(Concern::kLow);
  EXPECT_EQ(code(other, combination), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace dermlet
