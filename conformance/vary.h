#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "document/parse.h"
#include "document/reader.h"
#include "document/value.h"

namespace conformance {

/// The `vary` of a scenario: named lists of values, every combination of which is one run.
///
/// A name stands as `$name` or `${name}` anywhere in the rest of the file. A string that is nothing
/// else becomes the value itself, whatever it is; within a longer string the value must be a scalar
/// and its text is put in. What comes out has no `vary` any more.
class Vary {
 public:
  /// Combinations beyond this are an error.
  static constexpr std::size_t kMostVariants = 10'000;

  /// Without a `vary` there is one variant, without values. Errors go to `problems`.
  static Vary read(const document::Document& document, document::Problems& problems);

  std::size_t count() const { return count_; }
  /// "" or "[maxConnections=2,clients=11]": tells a variant from the others of its file.
  std::string suffix(std::size_t variant) const;
  std::map<std::string, std::string> values(std::size_t variant) const;
  /// The document with the variant's values put in. Errors: a list or object within a string, an
  /// unknown `${name}`, a name that is used nowhere.
  document::Document apply(const document::Document& document, std::size_t variant,
                           document::Problems& problems) const;

 private:
  struct Variable {
    std::string name;
    document::Mark at;
    std::vector<document::Value> values;
    std::vector<std::string> labels;
  };
  class Substitution;

  /// Which value of each variable a variant has. The last variable changes fastest.
  std::vector<std::size_t> picks(std::size_t variant) const;

  std::vector<Variable> variables_;
  std::size_t count_ = 1;
};

}  // namespace conformance
