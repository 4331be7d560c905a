#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "world/result.h"
#include "world/time.h"

namespace re2 {
class RE2;
}

namespace conformance {

/// What a text must be. All of its tests must hold.
struct TextExpectation {
  struct Test {
    enum class Kind : std::uint8_t { Equals, Contains, StartsWith, EndsWith, Matches };
    Kind kind = Kind::Equals;
    std::string text{};
    std::shared_ptr<const re2::RE2> regex{};  ///< Of Matches: the whole text.
    bool inverted = false;
  };
  std::vector<Test> tests;
  /// Whether it must be there at all; tests on an absent text fail.
  bool absent = false;
  std::string written;  ///< As the file says it.
  world::Place place;

  bool holds(std::optional<std::string_view> actual) const;

  static TextExpectation equal_to(std::string text, world::Place place);
};

/// A regular expression over bytes, or nothing: `error` says why.
std::shared_ptr<const re2::RE2> compile_regex(std::string_view text, std::string& error);

/// The regular expression for a text with placeholders: <time>, <uuid>, <number>, <address>, <any>.
std::string regex_of_pattern(std::string_view pattern);

/// What a number must be.
struct NumberExpectation {
  std::optional<std::int64_t> min;
  std::optional<std::int64_t> max;
  bool inverted = false;
  std::string written;
  world::Place place;

  bool holds(std::int64_t actual) const {
    const bool inside = (!min || actual >= *min) && (!max || actual <= *max);
    return inside != inverted;
  }
};

/// What a duration, or an instant, must be.
struct DurationExpectation {
  world::Duration min{};
  world::Duration max{};
  std::string written;
  world::Place place;

  bool holds(world::Duration actual) const { return actual >= min && actual <= max; }
};

}  // namespace conformance
