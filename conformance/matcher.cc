#include "conformance/matcher.h"

#include <array>
#include <utility>

#include <re2/re2.h>

namespace conformance {
namespace {

bool test_holds(const TextExpectation::Test& test, std::string_view actual) {
  using Kind = TextExpectation::Test::Kind;
  switch (test.kind) {
    case Kind::Equals:
      return actual == test.text;
    case Kind::Contains:
      return actual.find(test.text) != std::string_view::npos;
    case Kind::StartsWith:
      return actual.substr(0, test.text.size()) == test.text;
    case Kind::EndsWith:
      return actual.size() >= test.text.size() &&
             actual.substr(actual.size() - test.text.size()) == test.text;
    case Kind::Matches:
      return re2::RE2::FullMatch(re2::StringPiece(actual.data(), actual.size()), *test.regex);
  }
  return false;
}

}  // namespace

bool TextExpectation::holds(std::optional<std::string_view> actual) const {
  if (absent) return !actual.has_value();
  if (!actual) return false;
  for (const Test& test : tests) {
    if (test_holds(test, *actual) == test.inverted) return false;
  }
  return true;
}

TextExpectation TextExpectation::equal_to(std::string text, world::Place place) {
  TextExpectation out;
  out.written = text;
  out.tests.push_back({.text = std::move(text)});
  out.place = std::move(place);
  return out;
}

std::shared_ptr<const re2::RE2> compile_regex(std::string_view text, std::string& error) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);
  options.set_dot_nl(true);
  auto regex =
      std::make_shared<const re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (regex->ok()) return regex;
  error = regex->error();
  return nullptr;
}

std::string regex_of_pattern(std::string_view pattern) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kPlaceholders = {
      {{"<time>", R"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z)"},
       {"<uuid>", "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"},
       {"<number>", R"(-?\d+)"},
       {"<address>", R"(\d+\.\d+\.\d+\.\d+:\d+)"},
       {"<any>", ".*?"}}};
  std::string out;
  std::size_t literal = 0;
  const auto flush = [&](std::size_t end) {
    out += re2::RE2::QuoteMeta(re2::StringPiece(pattern.data() + literal, end - literal));
  };
  for (std::size_t i = 0; i < pattern.size();) {
    bool found = false;
    for (const auto& [name, regex] : kPlaceholders) {
      if (pattern.substr(i, name.size()) != name) continue;
      flush(i);
      out += regex;
      i += name.size();
      literal = i;
      found = true;
      break;
    }
    if (!found) ++i;
  }
  flush(pattern.size());
  return out;
}

}  // namespace conformance
