#include "learn/logistic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace dermlet::learn {
namespace {

// What a vector of doubles does, and what is done without.
template <typename T>
double product(std::span<const T> a, std::span<const double> b) {
  std::array<double, 4> lanes{};
  const std::size_t whole = a.size() & ~std::size_t{3};
  for (std::size_t i = 0; i < whole; i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) lanes[lane] += static_cast<double>(a[i + lane]) * b[i + lane];
  }
  double rest = 0;
  for (std::size_t i = whole; i < a.size(); ++i) rest += static_cast<double>(a[i]) * b[i];
  return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest;
}

template <typename T>
void add(std::span<double> to, double times, std::span<const T> values) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += times * static_cast<double>(values[i]);
}

double greatest(std::span<const double> values) {
  double most = 0;
  for (const double v : values) most = std::max(most, std::abs(v));
  return most;
}

}  // namespace

double dot(std::span<const double> a, std::span<const double> b) { return product(a, b); }

void logits_of(const Rows& rows, std::span<const double> parameters, std::span<const float> x, std::span<double> z) {
  const std::span<const double> bias = parameters.subspan(rows.classes * rows.width);
  for (std::size_t k = 0; k < rows.classes; ++k)
    z[k] = bias[k] + product(x, parameters.subspan(k * rows.width, rows.width));
}

double softmax(std::span<double> z) {
  const double top = *std::max_element(z.begin(), z.end());
  double sum = 0;
  for (double& v : z) sum += v = std::exp(v - top);
  for (double& v : z) v /= sum;
  return top + std::log(sum);
}

Expected<Minimiser> Minimiser::create(const Rows& rows, double inverse_penalty) {
  Minimiser minimiser;
  minimiser.size_ = rows.parameters();
  minimiser.inverse_penalty_ = inverse_penalty;
  DERMLET_TRY(values, Buffer<double>::allocate(minimiser.size_, kKept + 4));
  DERMLET_TRY(scores, Buffer<double>::allocate(rows.classes));
  std::fill(values.span().begin(), values.span().end(), 0.0);
  minimiser.values_ = std::move(values);
  minimiser.scores_ = std::move(scores);
  return minimiser;
}

double Minimiser::evaluate(const Rows& rows, std::span<const double> weights, std::span<const double> at,
                           std::span<double> gradient) {
  std::fill(gradient.begin(), gradient.end(), 0.0);
  const std::span<double> bias_gradient = gradient.subspan(rows.classes * rows.width);
  const std::span<double> scores = scores_.span();
  double loss = 0;
  double all = 0;
  for (std::size_t i = 0; i < rows.count(); ++i) {
    if (weights[i] == 0) continue;
    const std::span<const float> x = rows.row(i);
    logits_of(rows, at, x, scores);
    const double own = scores[rows.labels[i]];
    loss += weights[i] * (softmax(scores) - own);
    all += weights[i];
    for (std::size_t k = 0; k < rows.classes; ++k) {
      const double slope = weights[i] * (scores[k] - (k == rows.labels[i] ? 1 : 0));
      bias_gradient[k] += slope;
      add(gradient.subspan(k * rows.width, rows.width), slope, x);
    }
  }
  const double penalty = 1 / (inverse_penalty_ * all);
  for (double& v : gradient) v /= all;
  const auto w = at.first(rows.classes * rows.width);
  add(gradient.first(w.size()), penalty, w);
  return loss / all + penalty / 2 * dot(w, w);
}

void Minimiser::begin(const Rows& rows, std::span<const double> weights, double tolerance) {
  tolerance_ = tolerance;
  value_ = evaluate(rows, weights, parameters(), gradient());
}

void Minimiser::restore(std::span<const double> state, int pairs, int newest) {
  std::copy(state.begin(), state.end(), values_.span().begin());
  pairs_ = pairs;
  newest_ = newest;
}

// The two loops of Nocedal and Wright's algorithm 7.4.
void Minimiser::find_direction() {
  const std::span<double> p = direction();
  const std::span<double> g = gradient();
  std::transform(g.begin(), g.end(), p.begin(), [](double v) { return -v; });
  std::array<double, kMemory> factors{};
  const auto place = [this](int age) { return (newest_ - age + kMemory) % kMemory; };
  const auto as_const = [](std::span<double> values) { return std::span<const double>(values); };
  for (int age = 0; age < pairs_; ++age) {
    const int i = place(age);
    factors[static_cast<std::size_t>(age)] = dot(as_const(steps(i)), p) / dot(as_const(steps(i)), as_const(changes(i)));
    add(p, -factors[static_cast<std::size_t>(age)], as_const(changes(i)));
  }
  double scale = 1 / std::max(1.0, std::sqrt(dot(as_const(g), as_const(g))));
  if (pairs_ > 0) {
    const auto y = as_const(changes(newest_));
    scale = dot(as_const(steps(newest_)), y) / dot(y, y);
  }
  for (double& v : p) v *= scale;
  for (int age = pairs_ - 1; age >= 0; --age) {
    const int i = place(age);
    const double factor = dot(as_const(changes(i)), p) / dot(as_const(steps(i)), as_const(changes(i)));
    add(p, factors[static_cast<std::size_t>(age)] - factor, as_const(steps(i)));
  }
}

// Moves to a point of the line that meets the weak Wolfe conditions and remembers the pair. False where there is none.
bool Minimiser::search(const Rows& rows, std::span<const double> weights, double slope) {
  constexpr double kDescent = 1e-4;
  constexpr double kCurvature = 0.9;
  constexpr int kTrials = 40;
  const std::span<const double> p = direction();
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
  double step = 1;
  for (int trials = 0; trials < kTrials; ++trials) {
    const std::span<double> at = trial();
    std::copy(parameters().begin(), parameters().end(), at.begin());
    add(at, step, p);
    const double value = evaluate(rows, weights, at, trial_gradient());
    if (!(value <= value_ + kDescent * step * slope)) {
      high = step;
    } else if (dot(trial_gradient(), p) < kCurvature * slope) {
      low = step;
    } else {
      const int next = (newest_ + 1) % kMemory;
      const auto difference = [](std::span<double> to, std::span<const double> a, std::span<const double> b) {
        std::transform(a.begin(), a.end(), b.begin(), to.begin(), [](double x, double y) { return x - y; });
      };
      difference(steps(next), at, parameters());
      difference(changes(next), trial_gradient(), gradient());
      const std::span<const double> s = steps(next);
      const std::span<const double> y = changes(next);
      if (dot(s, y) > 1e-12 * dot(y, y)) {
        newest_ = next;
        pairs_ = std::min(pairs_ + 1, kMemory);
      } else {
        pairs_ = 0;  // the place of the oldest was written to
      }
      std::copy(at.begin(), at.end(), parameters().begin());
      std::copy(trial_gradient().begin(), trial_gradient().end(), gradient().begin());
      value_ = value;
      return true;
    }
    step = std::isfinite(high) ? (low + high) / 2 : 2 * low;
  }
  return false;
}

Step Minimiser::advance(const Rows& rows, std::span<const double> weights) {
  if (greatest(gradient()) <= tolerance_) return Step::kConverged;
  for (;;) {
    find_direction();
    const double slope = dot(gradient(), direction());
    if (slope < 0 && search(rows, weights, slope)) return Step::kGoing;
    if (pairs_ == 0) return Step::kStuck;
    pairs_ = 0;  // once more, straight down
  }
}

}  // namespace dermlet::learn
