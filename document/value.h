#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace document {

/// Where a value or a key begins in its file. Line and column count from 1, columns in characters.
struct Mark {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  auto operator<=>(const Mark&) const = default;
};

struct Member;

/// One value of a parsed text, with its place: a tree that keeps the order of members.
///
/// Guarantees: keys of an object are unique. An integer fits 64 bits; a number is finite.
class Value {
 public:
  using List = std::vector<Value>;
  using Object = std::vector<Member>;
  enum class Kind : std::uint8_t { Null, Bool, Integer, Number, String, List, Object };

  Value();  ///< Null.
  Value(bool value, Mark at);
  Value(std::int64_t value, Mark at);
  Value(double value, Mark at);
  Value(std::string value, Mark at);
  Value(List value, Mark at);
  Value(Object value, Mark at);
  // Out of line, as a member of an object is not complete here.
  Value(const Value& other);
  Value(Value&& other) noexcept;
  Value& operator=(const Value& other);
  Value& operator=(Value&& other) noexcept;
  ~Value();
  static Value null(Mark at);

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  bool is_null() const { return kind() == Kind::Null; }
  bool is_bool() const { return kind() == Kind::Bool; }
  bool is_integer() const { return kind() == Kind::Integer; }
  bool is_number() const { return is_integer() || kind() == Kind::Number; }
  bool is_string() const { return kind() == Kind::String; }
  bool is_list() const { return kind() == Kind::List; }
  bool is_object() const { return kind() == Kind::Object; }

  /// Where the value begins.
  Mark at() const { return at_; }

  // Requires: the value is of that kind.
  bool boolean() const { return std::get<bool>(data_); }
  std::int64_t integer() const { return std::get<std::int64_t>(data_); }
  double number() const;  ///< Of an integer too.
  const std::string& string() const { return std::get<std::string>(data_); }
  const List& list() const { return std::get<List>(data_); }
  List& list() { return std::get<List>(data_); }
  const Object& object() const { return std::get<Object>(data_); }
  Object& object() { return std::get<Object>(data_); }

  /// The member of that name; null if there is none, or if this is no object.
  const Value* find(std::string_view key) const;
  const Member* find_member(std::string_view key) const;

  /// What it is, for messages: "null", "true", "5", "the string \"x\"", "a list", "an object".
  std::string describe() const;

 private:
  Mark at_;
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Object> data_;
};

/// A member of an object.
struct Member {
  std::string key;
  Mark key_at;
  Value value;
};

}  // namespace document
