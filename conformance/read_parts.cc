#include "conformance/read_parts.h"

#include <utility>

#include <fmt/format.h>

#include "conformance/latin1.h"
#include "conformance/units.h"

namespace conformance {

using document::Reader;
using document::Value;
using Kind = TextExpectation::Test::Kind;

std::string written_text(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::Null:
      return "null";
    case Value::Kind::Bool:
      return value.boolean() ? "true" : "false";
    case Value::Kind::Integer:
      return std::to_string(value.integer());
    case Value::Kind::Number:
      return fmt::format("{}", value.number());
    case Value::Kind::String:
      return value.string();
    case Value::Kind::List: {
      std::string out = "[";
      for (const Value& item : value.list()) {
        out += (out.size() > 1 ? ", " : "") + written_text(item);
      }
      return out + "]";
    }
    case Value::Kind::Object: {
      std::string out = "{";
      for (const document::Member& member : value.object()) {
        out += (out.size() > 1 ? ", " : "") + member.key + ": " + written_text(member.value);
      }
      return out + "}";
    }
  }
  return {};
}

std::optional<world::Duration> read_duration(const Reader& at) {
  if (at.value().is_string()) {
    if (const auto duration = parse_duration(at.value().string())) return duration;
  }
  at.fail("must be a duration such as 100ms, 1.5s or 2m, is " + at.value().describe());
  return std::nullopt;
}

std::optional<world::Duration> read_optional_duration(Reader& in, std::string_view key) {
  const auto at = in.optional(key);
  return at ? read_duration(*at) : std::nullopt;
}

namespace {

/// A string, quoted where YAML would take it for something else.
std::optional<std::string> text_of(const Reader& at) {
  if (at.value().is_string()) return at.value().string();
  const bool scalar = at.value().is_number() || at.value().is_bool();
  at.fail("must be a string, is " + at.value().describe() + (scalar ? "; write it in quotes" : ""));
  return std::nullopt;
}

void add_test(TextExpectation& to, const Reader& at, Kind kind, bool pattern, bool inverted) {
  const auto text = text_of(at);
  if (!text) return;
  TextExpectation::Test test{.kind = kind, .text = *text, .inverted = inverted};
  if (kind == Kind::Matches) {
    std::string error;
    test.regex = compile_regex(pattern ? regex_of_pattern(*text) : *text, error);
    if (test.regex == nullptr) {
      at.fail("must be a regular expression (RE2): " + error);
      return;
    }
  }
  to.tests.push_back(std::move(test));
}

void add_tests(TextExpectation& to, Reader at, Kind plain, bool inverted) {
  if (!at.value().is_object()) {
    add_test(to, at, plain, false, inverted);
    return;
  }
  if (inverted && at.value().object().size() != 1) {
    at.fail("must have exactly one member here");
    return;
  }
  if (at.value().object().empty()) at.fail("must not be empty");
  struct Word {
    std::string_view key;
    Kind kind;
    bool pattern;
  };
  for (const Word& word :
       {Word{"equals", Kind::Equals, false}, Word{"contains", Kind::Contains, false},
        Word{"startsWith", Kind::StartsWith, false}, Word{"endsWith", Kind::EndsWith, false},
        Word{"matches", Kind::Matches, false}, Word{"like", Kind::Matches, true}}) {
    if (const auto test = at.optional(word.key)) {
      add_test(to, *test, word.kind, word.pattern, inverted);
    }
  }
  if (const auto negated = at.optional("not")) add_tests(to, *negated, plain, !inverted);
  at.finish();
}

TextExpectation begin_text(const Reader& at) {
  TextExpectation out;
  out.written = written_text(at.value());
  out.place = at.place();
  return out;
}

}  // namespace

TextExpectation read_text(Reader at, Kind plain) {
  TextExpectation out = begin_text(at);
  add_tests(out, at, plain, false);
  return out;
}

TextExpectation read_text_or_null(const Reader& at) {
  if (!at.value().is_null()) return read_text(at);
  TextExpectation out;
  out.absent = true;
  out.written = "null";
  out.place = at.place();
  return out;
}

TextExpectation read_presence(const Reader& at) {
  if (at.value().is_string()) {
    const std::string& word = at.value().string();
    if (word == "present" || word == "absent") {
      TextExpectation out = begin_text(at);
      out.absent = word == "absent";
      return out;
    }
  }
  return read_text(at);
}

std::vector<HeaderExpectation> read_header_expectations(Reader at) {
  std::vector<HeaderExpectation> out;
  if (!at.expect_object()) return out;
  for (const auto& [member, value] : at.members()) {
    std::string name = member->key;
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    }
    out.push_back({std::move(name), read_presence(value)});
  }
  return out;
}

NumberExpectation read_number(Reader at) {
  NumberExpectation out;
  out.written = written_text(at.value());
  out.place = at.place();
  if (at.value().is_object()) {
    if (at.has("not")) {
      out.min = out.max = at.optional_integer("not");
      out.inverted = true;
    } else {
      out.min = at.optional_integer("min");
      out.max = at.optional_integer("max");
      if (!at.has("min") && !at.has("max")) at.fail("must have min, max or not");
      if (out.min && out.max && *out.min > *out.max) at.fail("min must not be above max");
    }
    at.finish();
    return out;
  }
  if (!at.value().is_integer()) {
    at.fail("must be a whole number, or { min, max } or { not }, is " + at.value().describe());
    return out;
  }
  out.min = out.max = at.value().integer();
  return out;
}

DurationExpectation read_duration_expectation(const Reader& at) {
  DurationExpectation out;
  out.written = written_text(at.value());
  out.place = at.place();
  if (at.value().is_list()) {
    const auto items = at.as_items({2, 2});
    if (items.size() != 2) return out;
    const auto min = read_duration(items[0]);
    const auto max = read_duration(items[1]);
    if (!min || !max) return out;
    if (*min > *max) at.fail("the first must not be above the second");
    out.min = *min;
    out.max = *max;
    return out;
  }
  if (const auto exact = read_duration(at)) out.min = out.max = *exact;
  return out;
}

DurationExpectation read_within(const Reader& at) {
  DurationExpectation out = read_duration_expectation(at);
  if (!at.value().is_list()) out.min = {};
  return out;
}

peers::HeaderLines read_headers(Reader at) {
  peers::HeaderLines out;
  if (!at.expect_object()) return out;
  for (const auto& [member, value] : at.members()) {
    if (value.value().is_list()) {
      for (const Reader& line : value.as_items({1})) {
        if (auto text = text_of(line)) out.push_back({member->key, std::move(*text)});
      }
    } else if (auto text = text_of(value)) {
      out.push_back({member->key, std::move(*text)});
    }
  }
  return out;
}

namespace {

std::optional<std::string> read_hex(const Reader& at) {
  const auto text = text_of(at);
  if (!text) return std::nullopt;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string out;
  int high = -1;
  for (const char c : *text) {
    if (c == ' ' && high < 0) continue;
    const int value = digit(c);
    if (value < 0) {
      at.fail("must be pairs of hexadecimal digits");
      return std::nullopt;
    }
    if (high < 0) {
      high = value;
    } else {
      out += static_cast<char>(high * 16 + value);
      high = -1;
    }
  }
  if (high < 0) return out;
  at.fail("must be pairs of hexadecimal digits, has an odd number");
  return std::nullopt;
}

/// Characters beyond U+00FF begin with a byte above 0xC3.
std::string one_byte_each(const Reader& at, std::string text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0xc3) continue;
    at.fail("must have no characters beyond U+00FF, as each is one byte; see { hex }");
    return {};
  }
  return to_latin1(text);
}

void read_piece(std::vector<BytesPiece>& out, Reader at, bool raw) {
  if (!at.value().is_object()) {
    if (auto text = text_of(at)) {
      out.push_back({raw ? one_byte_each(at, std::move(*text)) : std::move(*text), 1});
    }
    return;
  }
  BytesPiece piece;
  if (at.one_of({"repeat", "hex"}) == 0U) {
    piece.bytes = at.required_string("repeat", {1});
    if (raw) piece.bytes = one_byte_each(at, std::move(piece.bytes));
    piece.times = static_cast<std::uint64_t>(at.required_integer("times", 1, 1'000'000'000));
  } else if (const auto hex = at.optional("hex")) {
    if (auto bytes = read_hex(*hex)) piece.bytes = std::move(*bytes);
  }
  at.finish();
  out.push_back(std::move(piece));
}

std::vector<BytesPiece> read_pieces(const Reader& at, bool raw) {
  std::vector<BytesPiece> out;
  if (at.value().is_list()) {
    for (const Reader& item : at.as_items()) read_piece(out, item, raw);
  } else {
    read_piece(out, at, raw);
  }
  return out;
}

std::string joined(const Reader& at, const std::vector<BytesPiece>& pieces) {
  constexpr std::size_t kMostBytes = 16 << 20;
  std::string out;
  for (const BytesPiece& piece : pieces) {
    if (!piece.bytes.empty() && piece.times > (kMostBytes - out.size()) / piece.bytes.size()) {
      at.fail("must be at most 16 MiB");
      return {};
    }
    for (std::uint64_t i = 0; i < piece.times; ++i) out += piece.bytes;
  }
  return out;
}

}  // namespace

std::vector<BytesPiece> read_pieces(const Reader& at) {
  return read_pieces(at, false);
}

std::vector<BytesPiece> read_raw_pieces(const Reader& at) {
  return read_pieces(at, true);
}

std::string read_bytes(const Reader& at) {
  return joined(at, read_pieces(at));
}

std::string read_raw_bytes(const Reader& at) {
  return joined(at, read_raw_pieces(at));
}

void refuse_unsupported(Reader& in, std::string_view key) {
  if (in.has(key)) in.fail_key(key, "is not supported yet");
}

bool is_name(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_' || c == '.';
    if (!fine) return false;
  }
  return true;
}

}  // namespace conformance
