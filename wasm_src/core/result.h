// Result<T> and the error codes that leave the core.
//
// The core throws nothing: every fallible function returns Result<T>. A code is stable (front ends and scripts switch
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
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace dermlet
