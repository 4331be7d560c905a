#pragma once

#include <cassert>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace world {

/// Where in a text file something stands. Lines and columns count from 1; 0 means not known.
struct Place {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  bool known() const { return line != 0; }
  /// "file:line:column", without the parts that are not known.
  std::string text() const {
    std::string out = file;
    if (line != 0) out += ":" + std::to_string(line) + ":" + std::to_string(column);
    return out;
  }
  bool operator==(const Place&) const = default;
};

/// What is wrong with an input, and where.
struct Error {
  std::string path;     ///< JSON pointer of the offending value, e.g. "/spec/listeners/0/port".
  std::string message;  ///< One clause, lower case, no full stop: what must be, what is.
  Place place{};        ///< Place in the file, where there is one.

  /// "file:line:column: /pointer: message", without the parts that are not known.
  std::string text() const {
    std::string out = place.text();
    if (!path.empty()) out += (out.empty() ? "" : ": ") + path;
    return out + (out.empty() ? "" : ": ") + message;
  }
  bool operator==(const Error&) const = default;
};

/// All that is wrong with one input, in the order of its text.
using Errors = std::vector<Error>;

/// A value or what is wrong: the part of std::expected (C++23) that we use, under the same names.
template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  const T& value() const& { return assert(has_value()), *std::get_if<0>(&state_); }
  T& value() & { return assert(has_value()), *std::get_if<0>(&state_); }
  T&& value() && { return assert(has_value()), std::move(*std::get_if<0>(&state_)); }
  const E& error() const { return assert(!has_value()), *std::get_if<1>(&state_); }

  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

 private:
  std::variant<T, E> state_;
};

}  // namespace world
