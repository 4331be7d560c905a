#include "document/scalar.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace document {
namespace {

using Typed = std::variant<Value, std::string>;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool all_digits(std::string_view text) {
  for (const char c : text) {
    if (!is_digit(c)) return false;
  }
  return !text.empty();
}

Typed integer(std::string_view digits, int base, bool negative, Mark at) {
  std::uint64_t magnitude = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
  const std::uint64_t limit =
      static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) + (negative ? 1 : 0);
  if (error != std::errc() || end != digits.data() + digits.size() || magnitude > limit) {
    return "is a number beyond 64 bits; quote it if it is text";
  }
  return Value(static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude), at);
}

/// [-+]? ( "." digits | digits ( "." digits? )? ) ( [eE] [-+]? digits )?
bool looks_like_float(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - from;
  };
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
  const std::size_t whole = digits();
  std::size_t fraction = 0;
  if (i < text.size() && text[i] == '.') {
    ++i;
    fraction = digits();
  }
  if (whole + fraction == 0) return false;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

Typed floating(std::string_view text, Mark at) {
  if (text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // Too small a number is out of range as well: it would become a silent zero.
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return "is a number beyond what a double can hold; quote it if it is text";
  }
  return Value(value, at);
}

/// The number that `text` is, if it is one at all.
std::optional<Typed> number(std::string_view text, Mark at) {
  if (text.empty()) return std::nullopt;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'o')) {
    const int base = text[1] == 'x' ? 16 : 8;
    const std::string_view digits = text.substr(2);
    const std::string_view allowed = base == 16 ? "0123456789abcdefABCDEF" : "01234567";
    if (digits.find_first_not_of(allowed) != std::string_view::npos) return std::nullopt;
    return integer(digits, base, false, at);
  }
  const bool is_signed = text[0] == '-' || text[0] == '+';
  const std::string_view magnitude = text.substr(is_signed ? 1 : 0);
  if (magnitude.size() > 1 && magnitude[0] == '0' && is_digit(magnitude[1])) return std::nullopt;
  if (all_digits(magnitude)) return integer(magnitude, 10, text[0] == '-', at);
  if (looks_like_float(text)) return floating(text, at);
  return std::nullopt;
}

std::optional<bool> boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

bool is_null(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

}  // namespace

Typed plain_scalar(const std::string& text, Mark at) {
  if (is_null(text)) return Value::null(at);
  if (const auto truth = boolean(text)) return Value(*truth, at);
  if (auto typed = number(text, at)) return *std::move(typed);
  return Value(text, at);
}

Typed tagged_scalar(const std::string& tag, const std::string& text, Mark at) {
  constexpr std::string_view kYaml = "tag:yaml.org,2002:";
  if (tag == "?") return plain_scalar(text, at);
  if (tag == "!") return Value(text, at);
  if (tag.starts_with(kYaml)) {
    const std::string_view type = std::string_view(tag).substr(kYaml.size());
    if (type == "str") return Value(text, at);
    if (type == "null" && is_null(text)) return Value::null(at);
    if (type == "bool") {
      if (const auto truth = boolean(text)) return Value(*truth, at);
    }
    if (type == "int" || type == "float") {
      if (auto typed = number(text, at)) {
        const Value* value = std::get_if<Value>(&*typed);
        if (value == nullptr) return *std::move(typed);
        if (type == "float") return Value(value->number(), at);
        if (value->is_integer()) return *value;
      }
    }
    if (type == "null" || type == "bool" || type == "int" || type == "float") {
      return "must be of the type of its tag !!" + std::string(type) + ", is \"" + text + "\"";
    }
  }
  return "has a tag that is not supported: " + tag;
}

}  // namespace document
