#include "result.h"

namespace dermlet {

std::string_view error_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnsupportedFormat:
      return "UNSUPPORTED_FORMAT";
    case ErrorCode::kCorruptImage:
      return "CORRUPT_IMAGE";
    case ErrorCode::kImageTooLarge:
      return "IMAGE_TOO_LARGE";
    case ErrorCode::kInvalidArgument:
      return "INVALID_ARGUMENT";
  }
  return "INVALID_ARGUMENT";
}

}  // namespace dermlet
