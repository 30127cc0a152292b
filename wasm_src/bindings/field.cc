// Of JavaScript; field_words.cc has what no language changes.
#include "field.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace dermlet {
namespace {

using emscripten::typed_memory_view;
using emscripten::val;

// By name, which is the same in every realm: instanceof only recognises this realm's.
std::string type_of_array(const val& array) {
  const val tag = array[val::global("Symbol")["toStringTag"]];
  return tag.isString() ? tag.as<std::string>() : std::string();
}

constexpr std::array<std::string_view, 2> kByteArrays = {"Uint8Array", "Uint8ClampedArray"};

bool is_array(const val& value) { return val::global("Array").call<bool>("isArray", value); }

}  // namespace

std::string_view Field::what_bytes_are() { return "a Uint8Array"; }

bool Field::absent() const { return value_.isNull(); }

bool Field::omitted() const { return value_.isNull() || value_.isUndefined(); }

bool Field::is_object() const { return !value_.isNull() && value_.typeOf().as<std::string>() == "object"; }

bool Field::is_record() const { return is_object() && type_of_array(value_).empty(); }

bool Field::is_typed_array(std::span<const std::string_view> types) const {
  return is_object() && std::find(types.begin(), types.end(), type_of_array(value_)) != types.end();
}

Field Field::operator[](const char* key) const {
  Field member(path_ + "." + key, val::undefined(), *error_);
  if (*error_) return member;
  if (is_object()) {
    member.value_ = value_[key];
  } else {
    refuse("an object");
  }
  return member;
}

bool Field::boolean() const {
  const bool is_true = value_.isTrue();
  if (!is_true && !value_.isFalse()) refuse("true or false");
  return is_true;
}

double Field::number(Range range) const {
  const double value = value_.isNumber() ? value_.as<double>() : std::nan("");
  // Numbers are kept as floats: what is finite must be so as one.
  if (std::isfinite(static_cast<float>(value)) && contains(range, value)) return value;
  refuse(with_range("a finite number", range));
  return 0;
}

int Field::integer(Range range) const {
  constexpr Range kInt = {std::numeric_limits<int>::min(), std::numeric_limits<int>::max()};
  const double value = value_.isNumber() ? value_.as<double>() : std::nan("");
  if (contains(kInt, value) && contains(range, value) && value == std::floor(value)) return static_cast<int>(value);
  refuse(with_range("a whole number", range));
  return 0;
}

std::size_t Field::word(std::span<const std::string_view> words) const {
  if (value_.isString()) {
    const auto found = std::find(words.begin(), words.end(), value_.as<std::string>());
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  }
  refuse(listed(words));
  return 0;
}

std::vector<Field> Field::elements(Range length) const {
  const double count = is_array(value_) ? value_["length"].as<double>() : std::nan("");
  if (!contains(length, count)) {
    refuse(with_range("an array; its length", length));
    return {};
  }
  std::vector<Field> fields;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
    // NOLINTNEXTLINE(performance-inefficient-vector-operation): no memory on the word of an array that may be sparse
    fields.emplace_back(path_ + "[" + std::to_string(i) + "]", value_[i], *error_);
  return fields;
}

std::vector<float> Field::numbers(std::optional<std::size_t> count) const {
  // Checked by JavaScript in one call: a modality probe has thousands of weights.
  std::vector<float> values;
  if (is_array(value_) && value_.call<bool>("every", val::global("Number")["isFinite"]))
    values = emscripten::convertJSArrayToNumberVector<float>(value_);
  const bool finite = std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
  const bool whole = is_array(value_) && value_["length"].as<std::size_t>() == values.size();
  if (finite && whole && (!count || values.size() == *count)) return values;
  refuse("an array of " + (count ? std::to_string(*count) + " " : "") + "finite numbers");
  return std::vector<float>(count.value_or(0));
}

std::vector<std::optional<Field>> Field::members(std::span<const std::string_view> known) const {
  std::vector<std::optional<Field>> found(known.size());
  if (!is_object()) {
    refuse("an object");
    return found;
  }
  const val names = val::global("Object").call<val>("keys", value_);
  for (const std::string& name : emscripten::vecFromJSArray<std::string>(names)) {
    const Field member(path_ + "." + name, value_[name], *error_);
    const auto place = std::find(known.begin(), known.end(), name);
    if (place == known.end()) {
      member.refuse("left out: there is nothing of that name");
    } else {
      found[static_cast<std::size_t>(place - known.begin())] = member;
    }
  }
  return found;
}

template <typename T>
Buffer<T> Field::copied(std::span<const std::string_view> types, std::string_view expected, std::size_t most) const {
  if (*error_) return {};
  if (!is_typed_array(types)) {
    refuse(expected);
    return {};
  }
  const auto length = value_["length"].template as<std::size_t>();
  auto buffer = Buffer<T>::allocate(std::min(length, most));
  if (!buffer) {
    *error_ = std::move(buffer.error());
    return {};
  }
  const val wanted = length > most ? value_.call<val>("subarray", 0, static_cast<double>(most)) : value_;
  val(typed_memory_view(buffer->size(), buffer->data())).template call<void>("set", wanted);
  return std::move(*buffer);
}

bool Field::holds_bytes() const { return is_typed_array(kByteArrays); }

Buffer<std::uint8_t> Field::bytes(std::size_t most) const {
  return copied<std::uint8_t>(kByteArrays, what_bytes_are(), most);
}

Buffer<float> Field::floats() const {
  constexpr std::array<std::string_view, 1> kTypes = {"Float32Array"};
  return copied<float>(kTypes, "a Float32Array");
}

}  // namespace dermlet
