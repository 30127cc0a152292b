// Multinomial logistic regression with an L2 penalty, fitted by L-BFGS: the function value and gradient to minimise,
// and the minimiser, which can be stopped and gone on with between iterations.
//
//   f(W, b) = 1/S sum_i w_i (log sum_k exp(z_ik) - z_iy) + |W|^2 / (2 C S),    z_i = W x_i + b,  S = sum_i w_i
//
// which has the same minimum as scikit-learn's LogisticRegression(C): b has no penalty. Of two classes scikit-learn
// fits one row, which is ours at half of its C: W_1 - W_0 there is coef_.
//
// Liu and Nocedal 1989, "On the limited memory BFGS method"; steps by bisection to the weak Wolfe conditions (Lewis and
// Overton 2013), which a convex function always lets it find. Sums are in double, in an order of their own that does
// not follow the machine's vectors: builds with and without vector instructions give the same numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "expected.h"
#include "image.h"

namespace dermlet::learn {

// Rows of features with a class each.
struct Rows {
  std::span<const float> features;        // N * D
  std::span<const std::uint32_t> labels;  // N, each less than `classes`
  std::size_t width = 0;                  // D
  std::size_t classes = 0;                // K

  [[nodiscard]] std::size_t count() const { return labels.size(); }
  [[nodiscard]] std::span<const float> row(std::size_t i) const { return features.subspan(i * width, width); }
  [[nodiscard]] std::size_t parameters() const { return classes * (width + 1); }
};

// Sum of products, in four lanes that are added at the end.
[[nodiscard]] double dot(std::span<const double> a, std::span<const double> b);

// z_k = W_k x + b_k. `parameters`: K rows of D weights, then K biases.
void logits_of(const Rows& rows, std::span<const double> parameters, std::span<const float> x, std::span<double> z);

// In place; returns the logarithm of the sum of exp(z).
double softmax(std::span<double> z);

enum class Step : std::uint8_t { kGoing, kConverged, kStuck };

// Keeps everything that one minimisation needs; `begin` may be called again, for other weights, from where it stands.
class Minimiser {
 public:
  // Errors: kImageTooLarge (no memory).
  [[nodiscard]] static Expected<Minimiser> create(const Rows& rows, double inverse_penalty);

  // From the parameters that are there (zeros at first).
  //   weights    N, not negative, not all 0
  //   tolerance  it has converged when no part of the gradient is greater
  void begin(const Rows& rows, std::span<const double> weights, double tolerance);

  // One iteration. kStuck: rounding leaves no step that descends.
  [[nodiscard]] Step advance(const Rows& rows, std::span<const double> weights);

  [[nodiscard]] std::span<double> parameters() { return part(0); }
  [[nodiscard]] std::span<const double> parameters() const { return values_.span().first(size_); }

  // Where it stands, to begin other fits from: parameters and what it knows of the function's curvature.
  [[nodiscard]] std::span<const double> state() const { return values_.span().first(kKept * size_); }
  void restore(std::span<const double> state, int pairs, int newest);
  [[nodiscard]] int pairs() const { return pairs_; }
  [[nodiscard]] int newest() const { return newest_; }

  // Pairs of differences that are remembered.
  static constexpr int kMemory = 10;
  // Arrays of the state: the parameters and the pairs.
  static constexpr std::size_t kKept = 1 + 2 * kMemory;

 private:
  [[nodiscard]] std::span<double> part(std::size_t index) { return values_.span().subspan(index * size_, size_); }
  [[nodiscard]] std::span<double> steps(int i) { return part(1 + 2 * static_cast<std::size_t>(i)); }
  [[nodiscard]] std::span<double> changes(int i) { return part(2 + 2 * static_cast<std::size_t>(i)); }
  [[nodiscard]] std::span<double> gradient() { return part(kKept); }
  [[nodiscard]] std::span<double> direction() { return part(kKept + 1); }
  [[nodiscard]] std::span<double> trial() { return part(kKept + 2); }
  [[nodiscard]] std::span<double> trial_gradient() { return part(kKept + 3); }

  double evaluate(const Rows& rows, std::span<const double> weights, std::span<const double> at,
                  std::span<double> gradient);
  void find_direction();
  bool search(const Rows& rows, std::span<const double> weights, double slope);

  Buffer<double> values_;  // parameters, pairs, gradient, direction, trial point and its gradient
  Buffer<double> scores_;  // K
  std::size_t size_ = 0;
  double inverse_penalty_ = 1;
  double value_ = 0;
  double tolerance_ = 0;
  int pairs_ = 0;
  int newest_ = -1;
};

}  // namespace dermlet::learn
