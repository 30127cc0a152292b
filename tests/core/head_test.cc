#include "learn/head.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>

#include "decision/own_head.h"
#include "support.h"

namespace dermlet {
namespace {

using testing::tests_dir;

template <typename T>
std::vector<T> numbers(const std::string& list) {
  std::vector<T> values;
  std::istringstream fields(list);
  for (std::string field; std::getline(fields, field, ',');) values.push_back(static_cast<T>(std::stod(field)));
  return values;
}

HeadTrainer trained(const Examples& examples, const HeadSpec& spec = {}, int step = 7) {
  auto trainer = HeadTrainer::start(examples, spec);
  EXPECT_TRUE(trainer) << trainer.error().message;
  double before = 0;
  while (!trainer->done()) {
    trainer->advance(step);
    EXPECT_GE(trainer->progress(), before);
    before = trainer->progress();
  }
  EXPECT_EQ(before, 1);
  return std::move(*trainer);
}

// Two classes apart in the first feature, a third in the second; the other features are noise.
struct Drawn {
  std::vector<float> embeddings;
  std::vector<std::uint32_t> labels;
  std::size_t width;

  Drawn(std::initializer_list<int> counts, float apart = 4, std::size_t features = 12) : width(features) {
    std::mt19937 random(7);
    std::uniform_real_distribution<float> noise(-1, 1);
    std::uint32_t label = 0;
    for (const int count : counts) {
      for (int i = 0; i < count; ++i) {
        for (std::size_t d = 0; d < width; ++d) embeddings.push_back(noise(random) + (d == label ? apart : 0));
        labels.push_back(label);
      }
      ++label;
    }
  }
  [[nodiscard]] Examples examples() const { return {embeddings, labels, {}, labels.back() + 1}; }
};

TEST(Head, EqualsScikitLearn) {
  std::ifstream golden(tests_dir() / "golden/logistic.golden");
  int cases = 0;
  for (std::string line; std::getline(golden, line); ++cases) {
    std::istringstream fields(line);
    std::string name, classes, features, c, kind, labels_text, embeddings_text, weights_text, bias_text, named_text;
    fields >> name >> classes >> features >> c >> kind >> labels_text >> embeddings_text >> weights_text >> bias_text >>
        named_text;
    const auto labels = numbers<std::uint32_t>(labels_text);
    const auto embeddings = numbers<float>(embeddings_text);
    const auto weights = numbers<double>(weights_text);
    const auto bias = numbers<double>(bias_text);
    const auto named = numbers<std::uint32_t>(named_text);
    const std::size_t k = std::stoul(classes);
    HeadSpec spec;
    spec.inverse_penalty = std::stod(c);
    spec.balanced = kind == "balanced";
    const HeadTrainer trainer = trained({embeddings, labels, {}, k}, spec);
    const Head head = trainer.head();
    EXPECT_TRUE(head.converged) << name;
    ASSERT_EQ(head.weights.size(), weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i)
      EXPECT_NEAR(head.weights[i], weights[i], 1e-3 * std::max(1.0, std::abs(weights[i]))) << name << " " << i;
    for (std::size_t i = 0; i < bias.size(); ++i)
      EXPECT_NEAR(head.bias[i], bias[i], 1e-3 * std::max(1.0, std::abs(bias[i]))) << name << " " << i;
    std::vector<std::uint32_t> confusion(k * k);
    for (std::size_t i = 0; i < labels.size(); ++i) ++confusion[labels[i] * k + named[i]];
    const HeldOut held = trainer.held_out();
    EXPECT_TRUE(held.leave_one_out);
    EXPECT_EQ(held.confusion, confusion) << name;
  }
  EXPECT_EQ(cases, 6);
}

TEST(Head, SaysHowWellItDoesOnWhatItDidNotSee) {
  const Drawn drawn({10, 10, 10});
  const HeldOut held = trained(drawn.examples()).held_out();
  EXPECT_EQ(held.folds, 30);
  EXPECT_EQ(held.correct, 30u);
  EXPECT_EQ(held.balanced_accuracy, 1);
  EXPECT_EQ(held.set_coverage, 1);
  EXPECT_NEAR(held.least, 0.8865, 1e-3);  // Wilson's interval of 30 of 30
  EXPECT_EQ(held.most, 1);
}

TEST(Head, LabelsThatMeanNothingAreNotLearned) {
  Drawn drawn({40, 40}, 0);
  const HeldOut held = trained(drawn.examples()).held_out();
  EXPECT_LT(held.accuracy, 0.68);
  EXPECT_GT(held.accuracy, 0.32);
  EXPECT_LT(held.least, 0.5);
}

// Copies of a picture answer for each other unless they are left out together.
TEST(Head, PicturesOfAGroupAreLeftOutTogether) {
  Drawn drawn({12, 12}, 0, 60);
  std::vector<std::uint32_t> groups;
  const std::size_t own = drawn.labels.size();
  for (std::size_t copy = 0; copy < 3; ++copy) {
    for (std::size_t i = 0; i < own; ++i) groups.push_back(static_cast<std::uint32_t>(i));
    if (copy == 0) continue;
    const std::vector<float> row(drawn.embeddings.begin(),
                                 drawn.embeddings.begin() + static_cast<std::ptrdiff_t>(own * drawn.width));
    drawn.embeddings.insert(drawn.embeddings.end(), row.begin(), row.end());
    for (std::size_t i = 0; i < own; ++i) drawn.labels.push_back(drawn.labels[i]);
  }
  HeadSpec loose;
  loose.inverse_penalty = 1e4;
  Examples examples{drawn.embeddings, drawn.labels, {}, 2};
  EXPECT_GT(trained(examples, loose).held_out().accuracy, 0.9);
  examples.groups = groups;
  const HeldOut held = trained(examples, loose).held_out();
  EXPECT_EQ(held.folds, 24);
  EXPECT_LT(held.accuracy, 0.75);
}

TEST(Head, OfManyExamplesFoldsAreLeftOut) {
  const Drawn drawn({30, 10});
  HeadSpec spec;
  spec.folds = 5;
  const HeldOut held = trained(drawn.examples(), spec).held_out();
  EXPECT_EQ(held.folds, 5);
  EXPECT_FALSE(held.leave_one_out);
  EXPECT_EQ(held.correct, 40u);
}

TEST(Head, IsTheSameHoweverItIsStepped) {
  const Drawn drawn({6, 9, 5}, 1);
  const Head one = trained(drawn.examples(), {}, 1).head();
  const Head many = trained(drawn.examples(), {}, 1000).head();
  EXPECT_EQ(one.weights, many.weights);
  EXPECT_EQ(one.bias, many.bias);
}

TEST(Head, EmbeddingsThatAreAllAlikeTellNothing) {
  const std::vector<float> embeddings(8 * 3, 2.5f);
  const std::vector<std::uint32_t> labels = {0, 0, 0, 0, 0, 0, 1, 1};
  HeadSpec spec;
  spec.balanced = false;
  const HeadTrainer trainer = trained({embeddings, labels, {}, 2}, spec);
  for (const float v : trainer.head().weights) EXPECT_EQ(v, 0);
  EXPECT_EQ(trainer.held_out().correct, 6u);
}

TEST(Head, ExtremeNumbersNeitherOverflowNorHang) {
  for (const float size : {1e-30f, 1e18f, 3e38f}) {
    Drawn drawn({4, 4});
    for (float& v : drawn.embeddings) v *= size / 10;
    const auto trainer = HeadTrainer::start(drawn.examples(), {});
    ASSERT_TRUE(trainer) << size;
    const Head head = trained(drawn.examples()).head();
    for (const float v : head.bias) EXPECT_TRUE(std::isfinite(v)) << size;
  }
  HeadSpec spec;
  spec.inverse_penalty = 1e300;  // no penalty worth the name, on classes that a plane parts: there is no minimum
  spec.iterations = 50;
  const Head head = trained(Drawn({4, 4}).examples(), spec).head();
  EXPECT_LE(head.iterations, 50);
}

TEST(Head, WhatCannotBeTrainedOnIsRefused) {
  const Drawn drawn({4, 4});
  const auto code = [](const Examples& examples, const HeadSpec& spec = {}) {
    const auto trainer = HeadTrainer::start(examples, spec);
    return trainer ? std::string("none") : std::string(name_of(trainer.error().code));
  };
  const Examples good = drawn.examples();
  const auto changed = [&](auto change) {
    Examples examples = good;
    change(examples);
    return code(examples);
  };
  EXPECT_EQ(changed([](Examples& e) { e.classes = 1; }), "INVALID_ARGUMENT");
  EXPECT_EQ(changed([](Examples& e) { e.classes = 3; }), "INVALID_ARGUMENT");  // the third has no example
  EXPECT_EQ(changed([](Examples& e) { e.classes = 101; }), "INVALID_ARGUMENT");
  EXPECT_EQ(changed([](Examples& e) { e.labels = e.labels.first(5); }), "INVALID_ARGUMENT");  // one of the second
  EXPECT_EQ(changed([](Examples& e) { e.labels = {}; }), "INVALID_ARGUMENT");
  EXPECT_EQ(changed([](Examples& e) { e.embeddings = {}; }), "INVALID_ARGUMENT");
  EXPECT_EQ(changed([](Examples& e) { e.embeddings = e.embeddings.first(95); }), "INVALID_ARGUMENT");
  const std::vector<std::uint32_t> one_group(8, 3);
  EXPECT_EQ(changed([&](Examples& e) { e.groups = one_group; }), "INVALID_ARGUMENT");
  const std::vector<std::uint32_t> large(8, 8);
  EXPECT_EQ(changed([&](Examples& e) { e.groups = large; }), "INVALID_ARGUMENT");
  EXPECT_EQ(changed([&](Examples& e) { e.groups = std::span(one_group).first(7); }), "INVALID_ARGUMENT");
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> spoiled = drawn.embeddings;
    spoiled[17] = bad;
    EXPECT_EQ(changed([&](Examples& e) { e.embeddings = spoiled; }), "INVALID_ARGUMENT");
  }
  const auto spec = [&](auto change) {
    HeadSpec wanted;
    change(wanted);
    return code(good, wanted);
  };
  EXPECT_EQ(spec([](HeadSpec& s) { s.inverse_penalty = 0; }), "INVALID_ARGUMENT");
  EXPECT_EQ(spec([](HeadSpec& s) { s.inverse_penalty = NAN; }), "INVALID_ARGUMENT");
  EXPECT_EQ(spec([](HeadSpec& s) { s.folds = 1; }), "INVALID_ARGUMENT");
  EXPECT_EQ(spec([](HeadSpec& s) { s.iterations = 0; }), "INVALID_ARGUMENT");
  EXPECT_EQ(spec([](HeadSpec& s) { s.set_mass = 0; }), "INVALID_ARGUMENT");
}

TEST(Head, TheLimitOfRejectionLeavesOutFewOfItsOwn) {
  const Drawn drawn({20, 19});
  std::vector<float> scores;
  scores.reserve(39);
  for (int i = 0; i < 39; ++i) scores.push_back(static_cast<float>((i * 7) % 39));
  Examples examples = drawn.examples();
  EXPECT_FALSE(trained(examples).head().rejection_limit);
  examples.rejections = scores;
  EXPECT_EQ(trained(examples).head().rejection_limit, 37.0f);  // the 38th smallest, 0.95 * 40
  scores[3] = NAN;
  EXPECT_FALSE(HeadTrainer::start(examples, {}));
  examples.rejections = std::span(scores).first(3);
  EXPECT_FALSE(HeadTrainer::start(examples, {}));
}

TEST(OwnHead, GivesWeightsTimesEmbeddingPlusBias) {
  const std::vector<float> embedding = {1, 2}, weights = {1, 0, 0, 1, 1, 1}, bias = {0, 0.5f, -1};
  const auto logits = logits_of(OwnHead{weights, bias}, embedding);
  ASSERT_TRUE(logits);
  EXPECT_EQ(*logits, (std::vector<float>{1, 2.5f, 2}));
  EXPECT_FALSE(logits_of(OwnHead{weights, bias}, std::vector<float>{1, 2, 3}));
  EXPECT_FALSE(logits_of(OwnHead{weights, bias}, {}));
  EXPECT_FALSE(logits_of(OwnHead{weights, {}}, embedding));
  EXPECT_FALSE(logits_of(OwnHead{std::span(weights).first(5), bias}, embedding));
  EXPECT_FALSE(logits_of(OwnHead{weights, bias}, std::vector<float>{INFINITY, 0}));
}

}  // namespace
}  // namespace dermlet
