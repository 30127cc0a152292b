// Field of Python's values: dictionaries, lists, numbers, and whatever offers a buffer.
#include "field.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace dermlet {
namespace {

namespace nb = nanobind;

// A float or an int; bool is an int to Python and is none here. What no double holds is not finite.
double as_double(const nb::object& value) {
  if (!value.is_valid() || PyBool_Check(value.ptr())) return std::nan("");
  if (!PyFloat_Check(value.ptr()) && !PyLong_Check(value.ptr())) return std::nan("");
  const double number = PyFloat_AsDouble(value.ptr());
  if (PyErr_Occurred() == nullptr) return number;
  PyErr_Clear();
  return std::nan("");
}

bool is_sequence(const nb::object& value) {
  return value.is_valid() && (PyList_Check(value.ptr()) || PyTuple_Check(value.ptr()));
}

std::size_t length_of(const nb::object& sequence) {
  return static_cast<std::size_t>(PySequence_Fast_GET_SIZE(sequence.ptr()));
}

// Null where another thread has shortened the list meanwhile.
nb::object item_of(const nb::object& sequence, std::size_t index) {
  nb::object item = nb::steal(PySequence_GetItem(sequence.ptr(), static_cast<Py_ssize_t>(index)));
  if (!item.is_valid()) PyErr_Clear();
  return item;
}

std::optional<std::string> as_text(const nb::object& value) {
  if (!value.is_valid() || !PyUnicode_Check(value.ptr())) return {};
  Py_ssize_t length = 0;
  const char* text = PyUnicode_AsUTF8AndSize(value.ptr(), &length);
  if (text == nullptr) {
    PyErr_Clear();  // a lone surrogate
    return {};
  }
  return std::string(text, static_cast<std::size_t>(length));
}

// A value's memory, contiguous, while this lives.
class View {
 public:
  explicit View(const nb::object& value) {
    if (!value.is_valid() || !PyObject_CheckBuffer(value.ptr())) return;
    held_ = PyObject_GetBuffer(value.ptr(), &buffer_, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) == 0;
    if (!held_) PyErr_Clear();
  }
  ~View() {
    if (held_) PyBuffer_Release(&buffer_);
  }
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  // Whether its elements are of one of the formats of the module `struct`, a letter each.
  [[nodiscard]] bool is_of(std::string_view formats, std::size_t size) const {
    if (!held_ || buffer_.itemsize != static_cast<Py_ssize_t>(size)) return false;
    const std::string_view format = buffer_.format == nullptr ? "B" : buffer_.format;
    return format.size() == 1 && formats.find(format) != std::string_view::npos;
  }
  [[nodiscard]] const void* data() const { return buffer_.buf; }
  [[nodiscard]] std::size_t bytes() const { return static_cast<std::size_t>(buffer_.len); }

 private:
  Py_buffer buffer_{};
  bool held_ = false;
};

constexpr std::string_view kByteFormats = "Bc";

}  // namespace

std::string_view Field::what_bytes_are() { return "bytes"; }

bool Field::absent() const { return value_.is_valid() && value_.is_none(); }

bool Field::omitted() const { return !value_.is_valid() || value_.is_none(); }

bool Field::is_record() const { return value_.is_valid() && PyDict_Check(value_.ptr()); }

Field Field::operator[](const char* key) const {
  Field member(path_ + "." + key, Value(), *error_);
  if (*error_) return member;
  if (!is_record()) {
    refuse("a dictionary");
    return member;
  }
  PyObject* found = PyDict_GetItemString(value_.ptr(), key);  // borrowed
  if (found != nullptr) member.value_ = nb::borrow(found);
  return member;
}

bool Field::boolean() const {
  const bool is_bool = value_.is_valid() && PyBool_Check(value_.ptr());
  if (!is_bool) refuse("True or False");
  return is_bool && value_.ptr() == Py_True;
}

double Field::number(Range range) const {
  const double value = as_double(value_);
  // Numbers are kept as floats: what is finite must be so as one.
  if (std::isfinite(static_cast<float>(value)) && contains(range, value)) return value;
  refuse(with_range("a finite number", range));
  return 0;
}

int Field::integer(Range range) const {
  constexpr Range kInt = {std::numeric_limits<int>::min(), std::numeric_limits<int>::max()};
  const double value = as_double(value_);
  if (contains(kInt, value) && contains(range, value) && value == std::floor(value)) return static_cast<int>(value);
  refuse(with_range("a whole number", range));
  return 0;
}

std::size_t Field::word(std::span<const std::string_view> words) const {
  if (const auto text = as_text(value_)) {
    const auto found = std::find(words.begin(), words.end(), *text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  }
  refuse(listed(words));
  return 0;
}

std::vector<Field> Field::elements(Range length) const {
  if (!is_sequence(value_) || !contains(length, static_cast<double>(length_of(value_)))) {
    refuse(with_range("a list; its length", length));
    return {};
  }
  std::vector<Field> fields;
  const std::size_t count = length_of(value_);
  fields.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    fields.emplace_back(path_ + "[" + std::to_string(i) + "]", item_of(value_, i), *error_);
  return fields;
}

std::vector<float> Field::numbers(std::optional<std::size_t> count) const {
  std::vector<float> values;
  bool finite = is_sequence(value_);
  const std::size_t length = finite ? length_of(value_) : 0;
  finite = finite && (!count || length == *count);
  values.reserve(finite ? length : 0);
  for (std::size_t i = 0; finite && i < length; ++i) {
    values.push_back(static_cast<float>(as_double(item_of(value_, i))));
    finite = std::isfinite(values.back());
  }
  if (finite) return values;
  refuse("a list of " + (count ? std::to_string(*count) + " " : "") + "finite numbers");
  return std::vector<float>(count.value_or(0));
}

std::vector<std::optional<Field>> Field::members(std::span<const std::string_view> known) const {
  std::vector<std::optional<Field>> found(known.size());
  if (!is_record()) {
    refuse("a dictionary");
    return found;
  }
  const nb::object items = nb::steal(PyDict_Items(value_.ptr()));
  if (!items.is_valid()) throw nb::python_error();
  for (std::size_t i = 0; i < length_of(items); ++i) {
    const nb::object pair = item_of(items, i);
    const auto name = as_text(item_of(pair, 0));
    const Field member(path_ + "." + name.value_or("?"), item_of(pair, 1), *error_);
    const auto place = name ? std::find(known.begin(), known.end(), *name) : known.end();
    if (place == known.end()) {
      member.refuse("left out: there is nothing of that name");
    } else {
      found[static_cast<std::size_t>(place - known.begin())] = member;
    }
  }
  return found;
}

template <typename T>
Buffer<T> Field::copied(std::string_view formats, std::string_view expected, std::size_t most) const {
  if (*error_) return {};
  const View view(value_);
  if (!view.is_of(formats, sizeof(T))) {
    refuse(expected);
    return {};
  }
  auto buffer = Buffer<T>::allocate(std::min(view.bytes() / sizeof(T), most));
  if (!buffer) {
    *error_ = std::move(buffer.error());
    return {};
  }
  if (!buffer->empty()) std::memcpy(buffer->data(), view.data(), buffer->size() * sizeof(T));
  return std::move(*buffer);
}

bool Field::holds_bytes() const { return View(value_).is_of(kByteFormats, 1); }

Buffer<std::uint8_t> Field::bytes(std::size_t most) const {
  return copied<std::uint8_t>(kByteFormats, what_bytes_are(), most);
}

Buffer<float> Field::floats() const { return copied<float>("f", "contiguous float32 values", SIZE_MAX); }

}  // namespace dermlet
