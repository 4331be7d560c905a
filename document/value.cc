#include "document/value.h"

#include <fmt/format.h>

namespace document {
namespace {

/// At most so much of a string is quoted in a message.
constexpr std::size_t kMaxQuoted = 60;

std::string shortened(const std::string& text) {
  if (text.size() <= kMaxQuoted) return text;
  std::size_t end = kMaxQuoted;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

}  // namespace

Value::Value() = default;
Value::Value(bool value, Mark at) : at_(at), data_(value) {}
Value::Value(std::int64_t value, Mark at) : at_(at), data_(value) {}
Value::Value(double value, Mark at) : at_(at), data_(value) {}
Value::Value(std::string value, Mark at) : at_(at), data_(std::move(value)) {}
Value::Value(List value, Mark at) : at_(at), data_(std::move(value)) {}
Value::Value(Object value, Mark at) : at_(at), data_(std::move(value)) {}
Value::Value(const Value& other) = default;
Value::Value(Value&& other) noexcept = default;
Value& Value::operator=(const Value& other) = default;
Value& Value::operator=(Value&& other) noexcept = default;
Value::~Value() = default;

Value Value::null(Mark at) {
  Value value;
  value.at_ = at;
  return value;
}

double Value::number() const {
  return is_integer() ? static_cast<double>(integer()) : std::get<double>(data_);
}

const Member* Value::find_member(std::string_view key) const {
  const Object* members = std::get_if<Object>(&data_);
  if (members == nullptr) return nullptr;
  for (const Member& member : *members) {
    if (member.key == key) return &member;
  }
  return nullptr;
}

const Value* Value::find(std::string_view key) const {
  const Member* member = find_member(key);
  return member == nullptr ? nullptr : &member->value;
}

std::string Value::describe() const {
  switch (kind()) {
    case Kind::Null:
      return "null";
    case Kind::Bool:
      return boolean() ? "true" : "false";
    case Kind::Integer:
      return std::to_string(integer());
    case Kind::Number: {
      // A float that looks like an integer still shows that it is none.
      const std::string text = fmt::format("{}", number());
      return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
    }
    case Kind::String:
      return "the string \"" + shortened(string()) + "\"";
    case Kind::List:
      return "a list";
    case Kind::Object:
      return "an object";
  }
  return {};
}

}  // namespace document
