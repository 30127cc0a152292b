// Expected<T> and the error codes that leave the core.
//
// The core throws nothing: every fallible function returns Expected<T>. A code is stable (front ends and scripts switch
// on it); the message is for people and may change.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "contract.h"

namespace dermlet {

struct Error {
  ErrorCode code;
  std::string message;
};

template <typename T>
using Expected = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

// Passing errors on, in a function that returns an Expected itself:
//   DERMLET_TRY(image, decode(bytes));   declares `image` with the value, or returns the error
//   DERMLET_CHECK(check_size(w, h));     goes on, or returns the error
// NOLINTBEGIN(bugprone-macro-parentheses): names that are declared have none
#define DERMLET_TRY(name, expression) DERMLET_TRY_AS(name, expression, DERMLET_JOIN(name##_or_error_, __LINE__))
#define DERMLET_TRY_AS(name, expression, result)                                     \
  auto result = (expression);                                                        \
  if (!(result)) return tl::unexpected<::dermlet::Error>(std::move(result).error()); \
  auto name = *std::move(result)
// NOLINTEND(bugprone-macro-parentheses)
#define DERMLET_CHECK(expression)                                                                                   \
  do {                                                                                                              \
    if (auto result_ = (expression); !result_) return tl::unexpected<::dermlet::Error>(std::move(result_).error()); \
  } while (false)
#define DERMLET_JOIN(a, b) DERMLET_JOIN_AGAIN(a, b)
#define DERMLET_JOIN_AGAIN(a, b) a##b

}  // namespace dermlet
