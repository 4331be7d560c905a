#include "document/reader.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace document {
namespace {

std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

/// Edits (insert, delete, replace, swap of neighbours) between two short words.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

/// "must be 1 to 10 characters long", "must have at least 2 entries".
std::string size_text(Size size, std::string_view verb, std::string_view unit) {
  constexpr std::size_t kNoMax = std::numeric_limits<std::size_t>::max();
  if (size.max == kNoMax) return fmt::format("must {} at least {} {}", verb, size.min, unit);
  if (size.min == size.max) return fmt::format("must {} {} {}", verb, size.min, unit);
  return fmt::format("must {} {} to {} {}", verb, size.min, size.max, unit);
}

std::string list_text(std::span<const std::string_view> names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

void Problems::add(std::string pointer, std::string message, world::Place place) {
  errors_.push_back({std::move(pointer), std::move(message), std::move(place)});
}

world::Errors Problems::take() {
  std::map<std::string, std::size_t> file_order;
  for (const world::Error& error : errors_) {
    file_order.emplace(error.place.file, file_order.size());
  }
  const auto key = [&](const world::Error& error) {
    return std::tuple(file_order.at(error.place.file), error.place.line, error.place.column);
  };
  std::stable_sort(errors_.begin(), errors_.end(),
                   [&](const auto& a, const auto& b) { return key(a) < key(b); });
  return std::exchange(errors_, {});
}

Reader::Reader(const Document& document, Problems& problems)
    : Reader(document, problems, std::string()) {}

Reader::Reader(const Document& document, Problems& problems, std::string pointer)
    : document_(&document),
      problems_(&problems),
      value_(&document.root),
      pointer_(std::move(pointer)) {}

Reader::Reader(const Reader& parent, const Value& value, std::string pointer)
    : document_(parent.document_),
      problems_(parent.problems_),
      value_(&value),
      pointer_(std::move(pointer)) {}

Reader Reader::child(const Member& member) const {
  return Reader(*this, member.value, join_pointer(pointer_, member.key));
}

void Reader::know(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
}

void Reader::fail(std::string message) const {
  problems_->add(pointer_, std::move(message), place());
}

void Reader::fail(std::string_view key, std::string message) const {
  const Member* member = value_->find_member(key);
  problems_->add(join_pointer(pointer_, key), std::move(message),
                 member == nullptr ? place() : document_->place(member->value.at()));
}

void Reader::fail_key(std::string_view key, std::string message) const {
  const Member* member = value_->find_member(key);
  problems_->add(join_pointer(pointer_, key), std::move(message),
                 member == nullptr ? place() : document_->place(member->key_at));
}

bool Reader::expect_object() const {
  if (value_->is_object()) return true;
  fail("must be an object, is " + value_->describe());
  return false;
}

bool Reader::expect_list(Size size) const {
  if (!value_->is_list()) {
    fail("must be a list, is " + value_->describe());
    return false;
  }
  const std::size_t count = value_->list().size();
  if (count >= size.min && count <= size.max) return true;
  const bool one = size.min == 1 && size.max == 1;
  fail(size_text(size, "have", one ? "entry" : "entries") + fmt::format(", has {}", count));
  return false;
}

std::optional<std::string> Reader::as_string(Size size) const {
  if (!value_->is_string()) {
    const bool scalar = value_->is_number() || value_->is_bool();
    fail("must be a string, is " + value_->describe() + (scalar ? " (put it in quotes)" : ""));
    return std::nullopt;
  }
  const std::size_t count = character_count(value_->string());
  if (count < size.min || count > size.max) {
    fail(count == 0 ? "must not be empty"
                    : size_text(size, "be", "characters long") + fmt::format(", is {}", count));
    return std::nullopt;
  }
  return value_->string();
}

std::optional<std::int64_t> Reader::as_integer(std::int64_t min, std::int64_t max) const {
  if (!value_->is_integer()) {
    fail("must be an integer, is " + value_->describe());
    return std::nullopt;
  }
  const std::int64_t number = value_->integer();
  if (number >= min && number <= max) return number;
  fail(max == INT64_MAX ? fmt::format("must be at least {}, is {}", min, number)
                        : fmt::format("must be between {} and {}, is {}", min, max, number));
  return std::nullopt;
}

std::optional<double> Reader::as_number() const {
  if (value_->is_number()) return value_->number();
  fail("must be a number, is " + value_->describe());
  return std::nullopt;
}

std::optional<bool> Reader::as_bool() const {
  if (value_->is_bool()) return value_->boolean();
  fail("must be true or false, is " + value_->describe());
  return std::nullopt;
}

std::optional<std::size_t> Reader::as_choice(std::span<const std::string_view> names) const {
  if (value_->is_string()) {
    const auto found = std::find(names.begin(), names.end(), value_->string());
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  }
  fail((names.size() == 1 ? "must be " : "must be one of ") + list_text(names) + ", is " +
       value_->describe());
  return std::nullopt;
}

std::optional<std::size_t> Reader::as_choice(std::initializer_list<std::string_view> names) const {
  return as_choice(std::span(names.begin(), names.size()));
}

std::vector<Reader> Reader::as_items(Size size) const {
  std::vector<Reader> items;
  if (!expect_list(size) && !value_->is_list()) return items;
  for (std::size_t i = 0; i < value_->list().size(); ++i) {
    items.push_back(Reader(*this, value_->list()[i], join_pointer(pointer_, std::to_string(i))));
  }
  return items;
}

bool Reader::has(std::string_view key) {
  know(key);
  return value_->find_member(key) != nullptr;
}

std::optional<Reader> Reader::optional(std::string_view key) {
  know(key);
  const Member* member = value_->find_member(key);
  if (member == nullptr) return std::nullopt;
  return child(*member);
}

std::optional<Reader> Reader::required(std::string_view key) {
  std::optional<Reader> found = optional(key);
  if (!found && value_->is_object()) fail(key, "is required");
  return found;
}

void Reader::ignore(std::string_view key) {
  know(key);
}

std::optional<std::string> Reader::optional_string(std::string_view key, Size size) {
  const auto member = optional(key);
  return member ? member->as_string(size) : std::nullopt;
}

std::optional<std::int64_t> Reader::optional_integer(std::string_view key, std::int64_t min,
                                                     std::int64_t max) {
  const auto member = optional(key);
  return member ? member->as_integer(min, max) : std::nullopt;
}

std::optional<double> Reader::optional_number(std::string_view key) {
  const auto member = optional(key);
  return member ? member->as_number() : std::nullopt;
}

std::optional<bool> Reader::optional_bool(std::string_view key) {
  const auto member = optional(key);
  return member ? member->as_bool() : std::nullopt;
}

std::vector<Reader> Reader::optional_items(std::string_view key, Size size) {
  const auto member = optional(key);
  return member ? member->as_items(size) : std::vector<Reader>{};
}

std::string Reader::required_string(std::string_view key, Size size) {
  const auto member = required(key);
  return member ? member->as_string(size).value_or("") : "";
}

std::int64_t Reader::required_integer(std::string_view key, std::int64_t min, std::int64_t max) {
  const auto member = required(key);
  return member ? member->as_integer(min, max).value_or(0) : 0;
}

bool Reader::required_bool(std::string_view key) {
  const auto member = required(key);
  return member && member->as_bool().value_or(false);
}

std::vector<Reader> Reader::required_items(std::string_view key, Size size) {
  const auto member = required(key);
  return member ? member->as_items(size) : std::vector<Reader>{};
}

std::optional<std::size_t> Reader::one_of(std::initializer_list<std::string_view> keys,
                                          bool required) {
  std::vector<std::size_t> given;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (has(keys.begin()[i])) given.push_back(i);
  }
  if (!value_->is_object()) return std::nullopt;
  const std::string names = list_text(std::span(keys.begin(), keys.size()));
  const std::string must = required ? "must have exactly one of " : "must have at most one of ";
  if (given.empty() && required) {
    fail(keys.size() == 1 ? "must have " + names : must + names + ", has none");
  }
  if (given.size() > 1) {
    std::string has_names;
    for (const std::size_t i : given) {
      has_names += (has_names.empty() ? "" : ", ") + std::string(keys.begin()[i]);
    }
    fail(must + names + ", has " + has_names);
  }
  return given.size() == 1 ? std::optional(given.front()) : std::nullopt;
}

std::vector<std::pair<const Member*, Reader>> Reader::members() {
  std::vector<std::pair<const Member*, Reader>> all;
  if (!value_->is_object()) return all;
  all_known_ = true;
  for (const Member& member : value_->object()) {
    all.emplace_back(&member, child(member));
  }
  return all;
}

void Reader::finish() {
  if (!value_->is_object() || all_known_) return;
  std::size_t unknown = 0;
  for (const Member& member : value_->object()) {
    if (std::find(known_.begin(), known_.end(), member.key) != known_.end()) continue;
    // Thousands of unknown keys are no slips.
    const std::string near = ++unknown <= 20 ? nearest(member.key, known_) : "";
    fail_key(member.key,
             near.empty() ? "is not known here" : "is not known here; did you mean " + near + "?");
  }
}

std::string nearest(std::string_view written, std::span<const std::string> names) {
  // Long words are no typing errors of a name, and would cost.
  if (written.size() > 64) return {};
  const std::string wanted = lower(written);
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, written.size() / 3) + 1;
  for (const std::string& name : names) {
    const std::size_t edits = distance(wanted, lower(name));
    if (edits >= best_distance) continue;
    best_distance = edits;
    best = name;
  }
  return best;
}

std::string join_pointer(std::string_view pointer, std::string_view key) {
  std::string out(pointer);
  out += '/';
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace document
