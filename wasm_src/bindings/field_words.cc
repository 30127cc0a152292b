// The part of Field that is the same in every language: what is said of a value that is refused.
#include <cmath>
#include <utility>

#include "field.h"

namespace dermlet {

std::string with_range(std::string_view kind, const Range& range) {
  std::string text(kind);
  if (std::isfinite(range.least))
    text += (range.open ? ", over " : ", at least ") + std::to_string(static_cast<int>(range.least));
  if (std::isfinite(range.most)) text += ", at most " + std::to_string(static_cast<int>(range.most));
  return text;
}

std::string listed(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += word == words.back() ? " or " : ", ";
    text += word;
  }
  return text;
}

void Field::refuse(std::string_view expected) const {
  if (*error_) return;
  *error_ = Error{ErrorCode::kInvalidArgument, path_ + " must be " + std::string(expected)};
}

void Field::refuse(const Error& error) const {
  if (!*error_) *error_ = Error{error.code, path_ + ": " + error.message};
}

}  // namespace dermlet
