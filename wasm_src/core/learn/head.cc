#include "learn/head.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "finite.h"

namespace dermlet {
namespace {

// How near a part of the parameters must come to the minimum: the penalty alone curves the function by 1 / (C S). The
// fits without a few examples begin where one ended that knew them, and must come away from it however small the
// penalty: what a looser limit leaves there would be their own answer.
constexpr double kWholeError = 1e-6;
constexpr double kFoldError = 1e-4;

// Values of a basis: 32 MB.
constexpr std::size_t kMaxBasis = std::size_t{1} << 22;

double tolerance_for(double error, const HeadSpec& spec, std::size_t count) {
  return std::max(1e-13, error / (spec.inverse_penalty * static_cast<double>(count)));
}

Expected<void> check_spec(const HeadSpec& spec) {
  const bool fits = std::isfinite(spec.inverse_penalty) && spec.inverse_penalty > 0 && spec.iterations >= 1 &&
                    spec.folds >= 2 && spec.set_mass > 0 && spec.set_mass <= 1;
  if (!fits) return fail(ErrorCode::kInvalidArgument, "a setting of the training is out of range");
  return {};
}

Expected<void> check_examples(const Examples& examples) {
  const std::size_t count = examples.labels.size();
  const std::size_t classes = examples.classes;
  if (classes < 2 || classes > kMaxHeadClasses)
    return fail(ErrorCode::kInvalidArgument, "there must be 2 to 100 classes");
  if (count == 0 || count > kMaxExamples || examples.embeddings.size() > kMaxExampleValues)
    return fail(ErrorCode::kInvalidArgument, "there are no examples, or more than can be held");
  const std::size_t width = examples.embeddings.size() / count;
  if (width == 0 || examples.embeddings.size() % count != 0)
    return fail(ErrorCode::kInvalidArgument, "embeddings and labels differ in number");
  if (width + 1 > kMaxHeadParameters / classes)
    return fail(ErrorCode::kInvalidArgument, "the head would have more weights than can be held");
  if (!examples.groups.empty() && examples.groups.size() != count)
    return fail(ErrorCode::kInvalidArgument, "groups and labels differ in number");
  if (std::any_of(examples.groups.begin(), examples.groups.end(), [&](std::uint32_t group) { return group >= count; }))
    return fail(ErrorCode::kInvalidArgument, "a group's number is not less than the number of examples");
  std::vector<std::size_t> of_class(classes);
  for (const std::uint32_t label : examples.labels) {
    if (label >= classes) return fail(ErrorCode::kInvalidArgument, "a label is none of the classes");
    ++of_class[label];
  }
  if (*std::min_element(of_class.begin(), of_class.end()) < 2)
    return fail(ErrorCode::kInvalidArgument, "each class needs two examples or more");
  if (!all_finite(examples.embeddings))
    return fail(ErrorCode::kInvalidArgument, "a value of an embedding is not a finite number");
  if (!examples.rejections.empty() && examples.rejections.size() != count)
    return fail(ErrorCode::kInvalidArgument, "rejection scores and labels differ in number");
  if (!all_finite(examples.rejections))
    return fail(ErrorCode::kInvalidArgument, "a rejection score is not a finite number");
  return {};
}

// The value at most a share of 1 - kKept of further ones is over, if they are like these (split conformal prediction,
// Papadopoulos et al. 2002): of N the ceil(kKept (N + 1))-th smallest, the greatest where there is none.
std::optional<float> limit_of(std::span<const float> scores) {
  constexpr double kKept = 0.95;
  if (scores.empty()) return std::nullopt;
  std::vector<float> sorted(scores.begin(), scores.end());
  std::sort(sorted.begin(), sorted.end());
  const auto place = static_cast<std::size_t>(std::ceil(kKept * static_cast<double>(sorted.size() + 1)));
  return sorted[std::min(place, sorted.size()) - 1];
}

}  // namespace

Expected<HeadTrainer> HeadTrainer::start(const Examples& examples, const HeadSpec& spec) {
  DERMLET_CHECK(check_spec(spec));
  DERMLET_CHECK(check_examples(examples));
  HeadTrainer trainer;
  trainer.spec_ = spec;
  trainer.classes_ = examples.classes;
  trainer.size_ = examples.embeddings.size() / examples.labels.size();
  trainer.width_ = trainer.size_;
  trainer.labels_.assign(examples.labels.begin(), examples.labels.end());
  trainer.rejection_limit_ = limit_of(examples.rejections);
  trainer.confusion_.assign(trainer.classes_ * trainer.classes_, 0);
  DERMLET_CHECK(trainer.scale(examples));
  if (trainer.labels_.size() < trainer.size_ && examples.embeddings.size() <= kMaxBasis)
    DERMLET_CHECK(trainer.reduce());
  DERMLET_CHECK(trainer.spread(examples));
  DERMLET_TRY(minimiser, learn::Minimiser::create(trainer.rows(), spec.inverse_penalty));
  DERMLET_TRY(whole, Buffer<double>::allocate(minimiser.state().size()));
  trainer.minimiser_ = std::move(minimiser);
  trainer.whole_ = std::move(whole);
  trainer.weigh();
  trainer.minimiser_->begin(trainer.rows(), trainer.weights_, tolerance_for(kWholeError, spec, trainer.labels_.size()));
  return trainer;
}

Expected<void> HeadTrainer::scale(const Examples& examples) {
  const std::size_t count = labels_.size();
  DERMLET_TRY(features, Buffer<float>::allocate(count, size_));
  mean_.assign(size_, 0);
  for (std::size_t i = 0; i < examples.embeddings.size(); ++i) mean_[i % size_] += examples.embeddings[i];
  for (double& v : mean_) v /= static_cast<double>(count);
  double square = 0;
  for (std::size_t i = 0; i < examples.embeddings.size(); ++i) {
    const double away = examples.embeddings[i] - mean_[i % size_];
    square += away * away;
  }
  const double spread = std::sqrt(square / static_cast<double>(count));
  if (!std::isfinite(spread)) return fail(ErrorCode::kInvalidArgument, "a value of an embedding is too large");
  scale_ = spread > 0 ? spread : 1;
  for (std::size_t i = 0; i < examples.embeddings.size(); ++i)
    features.data()[i] = static_cast<float>((examples.embeddings[i] - mean_[i % size_]) / scale_);
  features_ = std::move(features);
  return {};
}

// Each picture's part outside the basis so far is the next row of it, its parts inside are its features.
Expected<void> HeadTrainer::reduce() {
  constexpr double kNothing = 1e-6;  // of a length of about 1: what rounding to floats leaves of a copy
  const std::size_t count = labels_.size();
  DERMLET_TRY(basis, Buffer<double>::allocate(count, size_));
  DERMLET_TRY(features, Buffer<float>::allocate(count, count));
  std::fill(features.span().begin(), features.span().end(), 0.0f);
  std::vector<double> parts(count);
  std::size_t rows = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::span<double> left = basis.span().subspan(rows * size_, size_);
    const auto own = features_.span().subspan(i * size_, size_);
    std::copy(own.begin(), own.end(), left.begin());
    std::fill(parts.begin(), parts.end(), 0.0);
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t r = 0; r < rows; ++r) {
        const std::span<const double> row = basis.span().subspan(r * size_, size_);
        const double part = learn::dot(row, left);
        for (std::size_t d = 0; d < size_; ++d) left[d] -= part * row[d];
        parts[r] += part;
      }
    }
    const double length = std::sqrt(learn::dot(left, left));
    if (length > kNothing) {
      for (double& v : left) v /= length;
      parts[rows++] = length;
    }
    std::transform(parts.begin(), parts.end(), features.data() + i * count,
                   [](double v) { return static_cast<float>(v); });
  }
  width_ = count;
  features_ = std::move(features);
  basis_ = std::move(basis);
  basis_rows_ = rows;
  return {};
}

// Groups in the order of their first example's class are dealt out to the folds in turn: each fold has its share of
// each class.
Expected<void> HeadTrainer::spread(const Examples& examples) {
  const std::size_t count = labels_.size();
  constexpr int kNone = -1;
  std::vector<int> place(count, kNone);  // of each group, in that order
  std::vector<int> places(count);
  int groups = 0;
  for (std::uint32_t label = 0; label < classes_; ++label) {
    for (std::size_t i = 0; i < count; ++i) {
      if (labels_[i] != label) continue;
      int& own = place[examples.groups.empty() ? i : examples.groups[i]];
      if (own == kNone) own = groups++;
      places[i] = own;
    }
  }
  if (groups < 2) return fail(ErrorCode::kInvalidArgument, "there must be two groups of examples or more");
  folds_ = std::min(groups, spec_.folds);
  leave_one_out_ = folds_ == groups;
  fold_of_.resize(count);
  std::transform(places.begin(), places.end(), fold_of_.begin(), [this](int at) { return at % folds_; });
  return {};
}

// Of the examples that are not left out now.
void HeadTrainer::weigh() {
  std::vector<double> of_class(classes_);
  double all = 0;
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    if (fold_of_[i] == fold_) continue;
    ++of_class[labels_[i]];
    ++all;
  }
  const auto present = std::count_if(of_class.begin(), of_class.end(), [](double n) { return n > 0; });
  weights_.assign(labels_.size(), 0);
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    if (fold_of_[i] == fold_) continue;
    weights_[i] = spec_.balanced ? all / (static_cast<double>(present) * of_class[labels_[i]]) : 1;
  }
}

void HeadTrainer::advance(int iterations) {
  for (int i = 0; i < iterations && !done(); ++i) {
    const learn::Step step = minimiser_->advance(rows(), weights_);
    if (step == learn::Step::kGoing && ++iterations_ < spec_.iterations) continue;
    if (fold_ < 0) {
      whole_iterations_ = iterations_;
      whole_converged_ = step != learn::Step::kGoing;
      const auto state = minimiser_->state();
      std::copy(state.begin(), state.end(), whole_.span().begin());
      whole_pairs_ = minimiser_->pairs();
      whole_newest_ = minimiser_->newest();
    } else {
      judge();
    }
    next_fold();
  }
}

void HeadTrainer::next_fold() {
  ++fold_;
  iterations_ = 0;
  if (done()) return;
  minimiser_->restore(whole_.span(), whole_pairs_, whole_newest_);
  weigh();
  minimiser_->begin(rows(), weights_, tolerance_for(kFoldError, spec_, labels_.size()));
}

// What the head that did not see them says of the examples left out.
void HeadTrainer::judge() {
  std::vector<double> scores(classes_);
  DecisionSpec spec;
  spec.sets.limits.assign(classes_, static_cast<float>(spec_.set_mass));
  spec.concern.assign(classes_, Concern::kModerate);
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    if (fold_of_[i] != fold_) continue;
    learn::logits_of(rows(), std::as_const(*minimiser_).parameters(), rows().row(i), scores);
    learn::softmax(scores);
    const Decision decision = decide_from_probabilities({scores.begin(), scores.end()}, spec, 0, true);
    const auto label = static_cast<int>(labels_[i]);
    ++confusion_[labels_[i] * classes_ + static_cast<std::size_t>(decision.ranking.front())];
    const auto& set = decision.prediction_set;
    if (std::find(set.begin(), set.end(), label) != set.end()) ++in_set_;
    set_classes_ += set.size();
  }
}

Head HeadTrainer::head() const {
  Head head;
  head.iterations = whole_iterations_;
  head.converged = whole_converged_;
  head.rejection_limit = rejection_limit_;
  const std::span<const double> fitted = whole_.span();
  for (std::size_t k = 0; k < classes_; ++k) {
    double bias = fitted[classes_ * width_ + k];
    const std::span<const double> row = fitted.subspan(k * width_, width_);
    for (std::size_t d = 0; d < size_; ++d) {
      double own = 0;
      if (basis_.empty()) {
        own = row[d];
      } else {
        for (std::size_t r = 0; r < basis_rows_; ++r) own += row[r] * basis_.data()[r * size_ + d];
      }
      const double weight = own / scale_;
      bias -= weight * mean_[d];
      head.weights.push_back(static_cast<float>(weight));
    }
    head.bias.push_back(static_cast<float>(bias));
  }
  return head;
}

HeldOut HeadTrainer::held_out() const {
  HeldOut held;
  held.folds = folds_;
  held.leave_one_out = leave_one_out_;
  held.confusion = confusion_;
  const auto count = static_cast<double>(labels_.size());
  held.set_coverage = static_cast<double>(in_set_) / count;
  held.set_size = static_cast<double>(set_classes_) / count;
  for (std::size_t k = 0; k < classes_; ++k) {
    const auto row = std::span(confusion_).subspan(k * classes_, classes_);
    held.correct += row[k];
    held.balanced_accuracy +=
        static_cast<double>(row[k]) / std::accumulate(row.begin(), row.end(), 0.0) / static_cast<double>(classes_);
  }
  held.accuracy = static_cast<double>(held.correct) / count;
  // Wilson 1927, as Brown, Cai and DasGupta 2001 recommend for few trials.
  constexpr double kZ = 1.959963984540054;
  const double middle = held.accuracy + kZ * kZ / (2 * count);
  const double half = kZ * std::sqrt(held.accuracy * (1 - held.accuracy) / count + kZ * kZ / (4 * count * count));
  held.least = std::max(0.0, (middle - half) / (1 + kZ * kZ / count));
  held.most = std::min(1.0, (middle + half) / (1 + kZ * kZ / count));
  return held;
}

}  // namespace dermlet
