// Reading what another language passes: JavaScript (field.cc) or Python (python/field.cc). A Field is one value and its
// path, e.g. "spec.mean". A value that is missing or not what its reader expects is never replaced by another: it
// becomes the call's error, INVALID_ARGUMENT with the path. Only the first error is kept, and after it every read gives
// an empty value without looking, so that a caller reads all fields of a call and asks once.
#pragma once

#ifdef __EMSCRIPTEN__
#include <emscripten/val.h>
#else
#include <nanobind/nanobind.h>
#endif

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contract.h"
#include "expected.h"
#include "image.h"

namespace dermlet {

#ifdef __EMSCRIPTEN__
using Value = emscripten::val;
#else
using Value = nanobind::object;  // null where JavaScript has undefined
#endif

// Values that a number may have, ends included unless `open`.
struct Range {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool open = false;  // `least` itself is outside
};

[[nodiscard]] constexpr bool contains(const Range& range, double value) {
  return (range.open ? value > range.least : value >= range.least) && value <= range.most;
}

inline constexpr Range kShare = {0, 1};
inline constexpr Range kPositive = {.least = 0, .open = true};
inline constexpr Range kNotNegative = {.least = 0};

// For messages: a number's kind with its range, whose bounds are whole numbers; and words as "a, b or c".
[[nodiscard]] std::string with_range(std::string_view kind, const Range& range);
[[nodiscard]] std::string listed(std::span<const std::string_view> words);

class Field {
 public:
  // An argument of the call whose error is `error`, which must outlive all fields read from this one.
  Field(std::string path, Value value, std::optional<Error>& error)
      : path_(std::move(path)), value_(std::move(value)), error_(&error) {}

  // A member of an object.
  [[nodiscard]] Field operator[](const char* key) const;
  // Whether it is null, in Python None.
  [[nodiscard]] bool absent() const;
  // Whether it is an object with members, and none of the platform's kinds (typed arrays, ArrayBuffer, ...); in Python
  // a dictionary.
  [[nodiscard]] bool is_record() const;
  // Whether it is null or was left out.
  [[nodiscard]] bool omitted() const;

  [[nodiscard]] bool boolean() const;
  [[nodiscard]] int integer(Range range = {}) const;
  [[nodiscard]] double number(Range range = {}) const;
  [[nodiscard]] float real(Range range = {}) const { return static_cast<float>(number(range)); }

  // The value of an enumeration by its name in the contract.
  template <typename Enum>
  [[nodiscard]] Enum one_of() const {
    return static_cast<Enum>(word(Names<Enum>::kAll));
  }

  [[nodiscard]] std::vector<Field> elements(Range length) const;  // of an array of so many
  // An array of finite numbers; of exactly `count` where that is given.
  [[nodiscard]] std::vector<float> numbers(std::optional<std::size_t> count = {}) const;
  // An object's members by their names, of which each must be one of `known`; nothing for those that are left out.
  [[nodiscard]] std::vector<std::optional<Field>> members(std::span<const std::string_view> known) const;

  // Copies of typed arrays: Uint8Array or Uint8ClampedArray, of which the first `most` are copied, and Float32Array; in
  // Python of what has a contiguous buffer of bytes, or of float32. Errors: also kImageTooLarge (no memory).
  [[nodiscard]] bool holds_bytes() const;
  [[nodiscard]] Buffer<std::uint8_t> bytes(std::size_t most = SIZE_MAX) const;
  [[nodiscard]] Buffer<float> floats() const;
  // What bytes() wants, for a message.
  [[nodiscard]] static std::string_view what_bytes_are();

  // Makes it the call's error that this field is not `expected`, e.g. "an array"; or what was found wrong with it.
  void refuse(std::string_view expected) const;
  void refuse(const Error& error) const;

 private:
  [[nodiscard]] std::size_t word(std::span<const std::string_view> words) const;
#ifdef __EMSCRIPTEN__
  [[nodiscard]] bool is_object() const;
  [[nodiscard]] bool is_typed_array(std::span<const std::string_view> types) const;
  template <typename T>
  [[nodiscard]] Buffer<T> copied(std::span<const std::string_view> types, std::string_view expected,
                                 std::size_t most = SIZE_MAX) const;
#else
  template <typename T>
  [[nodiscard]] Buffer<T> copied(std::string_view formats, std::string_view expected, std::size_t most) const;
#endif

  std::string path_;
  Value value_;
  std::optional<Error>* error_;
};

}  // namespace dermlet
