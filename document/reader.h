#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "document/parse.h"
#include "document/value.h"
#include "world/result.h"

namespace document {

/// Collects what is wrong with a document and hands it out in the order of the text.
class Problems {
 public:
  void add(std::string pointer, std::string message, world::Place place);
  bool empty() const { return errors_.empty(); }
  std::size_t size() const { return errors_.size(); }
  /// As they were added.
  const world::Errors& errors() const { return errors_; }
  /// All errors, by line and column within each file; files in order of their first error.
  world::Errors take();

 private:
  world::Errors errors_;
};

/// How many characters a string may have, or entries a list.
struct Size {
  std::size_t min = 0;
  std::size_t max = std::numeric_limits<std::size_t>::max();
};

/// Reads one value of a document strictly: says what must be and what is, with JSON pointer and
/// place, into a Problems.
///
/// On an object, members are asked for by name; finish() then reports those nobody asked for.
/// A value that was not right is reported once, and read as absent or as the type's zero, so
/// reading goes on and finds further errors. Look at Problems::empty() before using the result.
///
/// Requires: the document and the Problems outlive the reader.
class Reader {
 public:
  Reader(const Document& document, Problems& problems);
  /// The same, for a document that stands at `pointer` of a larger input.
  Reader(const Document& document, Problems& problems, std::string pointer);

  const Value& value() const { return *value_; }
  const std::string& pointer() const { return pointer_; }
  world::Place place() const { return document_->place(value_->at()); }
  Problems& problems() const { return *problems_; }

  /// Reports an error of this value.
  void fail(std::string message) const;
  /// Reports an error of the member `key`: at its value if it is there, else at this value.
  void fail(std::string_view key, std::string message) const;
  /// Reports an error at the member's key.
  void fail_key(std::string_view key, std::string message) const;

  // This value itself. Absent: it was not right, and that was reported.
  bool expect_object() const;
  bool expect_list(Size size = {}) const;
  std::optional<std::string> as_string(Size size = {}) const;
  std::optional<std::int64_t> as_integer(std::int64_t min = INT64_MIN,
                                         std::int64_t max = INT64_MAX) const;
  std::optional<double> as_number() const;
  std::optional<bool> as_bool() const;
  /// The index of the string in `names`.
  std::optional<std::size_t> as_choice(std::span<const std::string_view> names) const;
  std::optional<std::size_t> as_choice(std::initializer_list<std::string_view> names) const;
  /// A reader for each entry of a list.
  std::vector<Reader> as_items(Size size = {}) const;

  // Members of an object. If the value is no object they are all absent, silently: call
  // expect_object() first. Each call makes the name a known one.
  bool has(std::string_view key);
  std::optional<Reader> optional(std::string_view key);
  std::optional<Reader> required(std::string_view key);
  /// Makes a name known without reading it.
  void ignore(std::string_view key);

  std::optional<std::string> optional_string(std::string_view key, Size size = {});
  std::optional<std::int64_t> optional_integer(std::string_view key, std::int64_t min = INT64_MIN,
                                               std::int64_t max = INT64_MAX);
  std::optional<double> optional_number(std::string_view key);
  std::optional<bool> optional_bool(std::string_view key);
  std::vector<Reader> optional_items(std::string_view key, Size size = {});

  std::string required_string(std::string_view key, Size size = {});
  std::int64_t required_integer(std::string_view key, std::int64_t min = INT64_MIN,
                                std::int64_t max = INT64_MAX);
  bool required_bool(std::string_view key);
  std::vector<Reader> required_items(std::string_view key, Size size = {});

  /// Of these members exactly one must be there (at most one, unless `required`). Its index, if
  /// so; an error otherwise.
  std::optional<std::size_t> one_of(std::initializer_list<std::string_view> keys,
                                    bool required = true);

  /// Every member with a reader, in order; for objects whose keys are names. All become known.
  std::vector<std::pair<const Member*, Reader>> members();

  /// Reports members that nobody asked for, with the nearest known name.
  void finish();

 private:
  Reader(const Reader& parent, const Value& value, std::string pointer);
  Reader child(const Member& member) const;
  void know(std::string_view key);

  const Document* document_;
  Problems* problems_;
  const Value* value_;
  std::string pointer_;
  std::vector<std::string> known_;  ///< Names that were asked for, in that order.
  bool all_known_ = false;
};

/// The nearest of `names` to what was written, for "did you mean"; empty if none is near.
std::string nearest(std::string_view written, std::span<const std::string> names);

/// `pointer` with one more step, escaped as RFC 6901 says.
std::string join_pointer(std::string_view pointer, std::string_view key);

}  // namespace document
