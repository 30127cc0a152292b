// A new last layer for the network: trained on the embeddings of labelled pictures, judged on pictures that were left
// out of its training.
//
//   x = (embedding - mean) / scale,  scale = root mean square over all pictures of the length of embedding - mean
//   logits = W embedding + b, of the logistic regression on x (logistic.h) put back into the embedding's own units
//
// One scale for all features: the penalty then means the same for every network, however long its embedding, and no
// feature that hardly varies becomes loud. Balanced class weights are N / (K n_k), as scikit-learn's: each class counts
// alike.
//
// Fewer pictures than features lie in a space of as many dimensions as there are pictures: they are fitted in an
// orthonormal basis of it (Gram-Schmidt, twice), where the penalty is the same and the minimum too. Of 1280 features,
// 400 pictures are a third of the work and 100 a twelfth.
//
// Held-out accuracy: pictures are left out in folds and the head is fitted anew without them, from where the whole fit
// ended. With as many folds as groups this is leave-one-out; where there are more groups than `folds` it is n-fold, the
// classes spread over the folds. Pictures of one group (one lesion, one person) are left out together, since a picture
// says too much of its neighbour. Mean and scale, which know no labels, are of all pictures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "decision/decision.h"
#include "expected.h"
#include "image.h"
#include "learn/logistic.h"

namespace dermlet {

inline constexpr std::size_t kMaxHeadClasses = 100;
inline constexpr std::size_t kMaxExamples = 20000;
inline constexpr std::size_t kMaxExampleValues = std::size_t{1} << 25;   // N * D
inline constexpr std::size_t kMaxHeadParameters = std::size_t{1} << 19;  // K * (D + 1)

struct HeadSpec {
  double inverse_penalty = 4;  // C of scikit-learn, > 0: smaller keeps the weights smaller
  bool balanced = true;        // each class counts alike, however many pictures it has
  int iterations = 1000;       // at most, for one fit
  int folds = 500;             // at most, 2 or more
  double set_mass = 0.9;       // over 0, at most 1: probability that a set reaches, for HeldOut::set_coverage
};

// Labelled embeddings.
struct Examples {
  std::span<const float> embeddings;      // N * D
  std::span<const std::uint32_t> labels;  // N, 0 to K - 1
  std::span<const std::uint32_t> groups;  // N, each less than N: equal ones are left out together; empty: each alone
  std::size_t classes = 0;                // K, each with two examples or more
  std::span<const float> rejections{};    // N scores of the network's own rejection (rejection.h), or empty
};

// What the heads that did not see a picture said of it.
struct HeldOut {
  int folds = 0;
  bool leave_one_out = false;  // a fold for each group
  std::size_t correct = 0;     // first-ranked class is the label
  double accuracy = 0;         // correct / N
  double least = 0;            // Wilson's 95 % interval of it
  double most = 0;
  double balanced_accuracy = 0;          // mean of the classes' recalls
  std::vector<std::uint32_t> confusion;  // K * K, a row for each label, in it the counts of first-ranked classes
  double set_coverage = 0;               // share whose label is in the set of `set_mass`
  double set_size = 0;                   // mean number of classes in it
};

struct Head {
  std::vector<float> weights;  // K rows of D
  std::vector<float> bias;     // K
  int iterations = 0;
  bool converged = false;
  // Of the rejection scores: about a picture in twenty of those like the examples is over it. Nothing without scores.
  std::optional<float> rejection_limit;
};

// Trains in steps, so that whoever calls can tell of its progress, and stop.
class HeadTrainer {
 public:
  // Copies the examples. Errors: kInvalidArgument (lengths that do not fit, fewer than two classes, a class with fewer
  // than two examples, a value that is not finite, more than the limits above), kImageTooLarge (no memory).
  [[nodiscard]] static Expected<HeadTrainer> start(const Examples& examples, const HeadSpec& spec);

  // At most so many iterations; does nothing once it is done.
  void advance(int iterations);

  [[nodiscard]] bool done() const { return fold_ == folds_; }
  [[nodiscard]] double progress() const { return (fold_ + 1.0) / (folds_ + 1.0); }  // 0 to 1

  // Once it is done.
  [[nodiscard]] Head head() const;
  [[nodiscard]] HeldOut held_out() const;

 private:
  HeadTrainer() = default;
  Expected<void> scale(const Examples& examples);
  Expected<void> reduce();
  Expected<void> spread(const Examples& examples);
  void weigh();
  void next_fold();
  void judge();
  [[nodiscard]] learn::Rows rows() const { return {features_.span(), labels_, width_, classes_}; }

  HeadSpec spec_;
  std::size_t size_ = 0;   // D
  std::size_t width_ = 0;  // of the features: D, or the dimensions of the basis
  std::size_t classes_ = 0;
  Buffer<float> features_;  // N * width, centred and scaled
  Buffer<double> basis_;    // width rows of D; empty where the features are the embedding's own
  std::size_t basis_rows_ = 0;
  std::vector<std::uint32_t> labels_;
  std::vector<double> mean_;
  double scale_ = 1;
  std::vector<int> fold_of_;     // N
  std::vector<double> weights_;  // N, of the fit under way
  std::optional<learn::Minimiser> minimiser_;
  Buffer<double> whole_;  // where the fit on all examples ended
  int whole_pairs_ = 0;
  int whole_newest_ = -1;
  int whole_iterations_ = 0;
  bool whole_converged_ = false;
  int fold_ = -1;  // the one left out; -1: none, the fit on all examples
  std::optional<float> rejection_limit_;
  int folds_ = 0;
  int iterations_ = 0;  // of the fit under way
  bool leave_one_out_ = false;
  std::vector<std::uint32_t> confusion_;
  std::size_t in_set_ = 0;
  std::size_t set_classes_ = 0;
};

}  // namespace dermlet
