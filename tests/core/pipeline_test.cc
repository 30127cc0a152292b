#include "pipeline.h"

#include <gtest/gtest.h>

#include "support.h"

namespace dermlet {
namespace {

using testing::picture_bytes;
using testing::values_of;

PrepareSpec spec_of(int side) {
  PrepareSpec spec;
  spec.tensor = {side, side, Layout::kNchw, ChannelOrder::kRgb, {127, 127, 127}, {128, 128, 128}};
  spec.quality = {64, 2};
  return spec;
}

TEST(Pipeline, TheTensorIsTheViewNormalised) {
  const auto prepared = prepare(picture_bytes("spot.jpg"), spec_of(224));
  ASSERT_TRUE(prepared);
  ASSERT_EQ(prepared->tensor.size(), 3u * 224 * 224);
  for (std::size_t i = 0; i < 224 * 224; ++i) {
    for (std::size_t c = 0; c < 3; ++c) ASSERT_EQ(prepared->tensor.data()[c * 224 * 224 + i], (prepared->view.pixels.data()[3 * i + c] - 127.0f) / 128.0f);
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
    for (std::size_t i = 0; i < upright->view.pixels.size(); ++i) difference += std::abs(int{upright->view.pixels.data()[i]} - int{turned->view.pixels.data()[i]});
    EXPECT_LT(difference / static_cast<double>(upright->view.pixels.size()), 1.5) << orientation;  // JPEG blocks fall differently
  }
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
  EXPECT_EQ(prepare(picture_bytes("spot.png"), spec_of(64), Rect{200, 30, 120, 90}).error().code, ErrorCode::kInvalidArgument);
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

TEST(Pipeline, InterpretExplainsTheFirstClassUnlessTold) {
  const std::vector<float> logits = {0, 3};
  const std::vector<float> maps = {1, 0, 0, 2};
  DecisionSpec spec;
  spec.set_thresholds = {0.1f, 0.1f};
  spec.concern = {Concern::kLow, Concern::kHigh};
  spec.rejection_threshold = 100;
  const ModelOutputs outputs{logits, maps, 1, 2, {}};
  EXPECT_EQ(interpret(outputs, spec, true, Explain{-1, 4, 4})->heat_map->class_index, 1);
  EXPECT_EQ(interpret(outputs, spec, true, Explain{0, 4, 4})->heat_map->class_index, 0);
  EXPECT_FALSE(interpret(outputs, spec, true)->heat_map);
  EXPECT_EQ(interpret(outputs, spec, true, Explain{7, 4, 4}).error().code, ErrorCode::kInvalidArgument);
  const ModelOutputs without{logits, {}, 0, 0, {}};
  EXPECT_FALSE(interpret(without, spec, true, Explain{-1, 4, 4})->heat_map);
}

}  // namespace
}  // namespace dermlet
