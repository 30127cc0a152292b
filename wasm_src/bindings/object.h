// Writing what JavaScript gets.
#pragma once

#include <emscripten/val.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "expected.h"

namespace dermlet {

using emscripten::typed_memory_view;
using emscripten::val;

// Fields are written by these few functions and not through temporary vals at every place: a tenth of the module.
class Object {
 public:
  Object() : Object(val::object()) {}
  explicit Object(val object) : object_(std::move(object)) {}
  [[gnu::noinline]] Object& set(const char* key, const val& value) {
    object_.set(key, value);
    return *this;
  }
  [[gnu::noinline]] Object& set(const char* key, double value) { return set(key, val(value)); }
  [[gnu::noinline]] Object& flag(const char* key, bool value) { return set(key, val(value)); }
  [[gnu::noinline]] Object& text(const char* key, std::string_view value) { return set(key, val(std::string(value))); }
  [[nodiscard]] const val& get() const { return object_; }

 private:
  val object_;
};

inline val to_js(const Error& error) {
  return Object().flag("ok", false).text("code", name_of(error.code)).text("message", error.message).get();
}

template <typename T>
val copied(std::span<const T> values) {
  return val(typed_memory_view(values.size(), values.data())).template call<val>("slice");
}

template <typename T>
val to_array(const std::vector<T>& values) {
  return val::global("Array").call<val>("from", typed_memory_view(values.size(), values.data()));
}

}  // namespace dermlet
