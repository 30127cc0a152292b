// Result<T> and the error codes that leave the core.
//
// The core throws nothing: every fallible function returns Result<T>. A code is stable (front ends and scripts switch
// on it); the message is for people and may change. Codes are listed once, in error_codes; the bindings and the
// TypeScript side use the same names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace dermlet {

enum class ErrorCode : std::uint8_t {
  kUnsupportedFormat,  // not a format the core decodes; the message names what it seems to be
  kCorruptImage,       // the right format, but broken, cut off or inconsistent
  kImageTooLarge,      // over a stated limit (bytes, pixels) or over the memory that can be had
  kInvalidArgument,    // the caller's options make no sense (crop outside the picture, NaN logits, wrong lengths)
};

struct Error {
  ErrorCode code;
  std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

// Passing errors on, in a function that returns a Result itself:
//   DERMLET_TRY(image, decode(bytes));   declares `image` with the value, or returns the error
//   DERMLET_CHECK(check_size(w, h));     goes on, or returns the error
#define DERMLET_TRY(name, expression) DERMLET_TRY_AS(name, expression, DERMLET_JOIN(name##_or_error_, __LINE__))
#define DERMLET_TRY_AS(name, expression, result)                                     \
  auto result = (expression);                                                        \
  if (!(result)) return tl::unexpected<::dermlet::Error>(std::move(result).error()); \
  auto name = *std::move(result)
#define DERMLET_CHECK(expression)                                                                                   \
  do {                                                                                                              \
    if (auto result_ = (expression); !result_) return tl::unexpected<::dermlet::Error>(std::move(result_).error()); \
  } while (false)
#define DERMLET_JOIN(a, b) DERMLET_JOIN_AGAIN(a, b)
#define DERMLET_JOIN_AGAIN(a, b) a##b

// The stable name of a code, e.g. "CORRUPT_IMAGE".
[[nodiscard]] std::string_view error_name(ErrorCode code);

}  // namespace dermlet
