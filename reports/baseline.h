#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/verdict.h"
#include "world/result.h"

/// What came of runs, kept to be compared with what comes of them later.
namespace reports {

/// What is kept of one run.
struct Remembered {
  std::string outcome;     ///< As in results.json.
  std::string digest;      ///< Of the scenario file.
  std::string trace_hash;  ///< Empty for live targets.
  /// A line for each request, without times: "GET http://edge/x -> 200; books.shop.local: GET /x".
  /// "3 x " stands before what came three times in a row.
  std::vector<std::string> seen;
};

struct Baseline {
  std::string target;
  std::map<std::string, Remembered> runs;  ///< By id.
};

Baseline baseline_of(const conformance::Report& report);

std::string baseline_json(const Baseline& baseline);
/// Errors: what is no such file, with its place.
world::Result<Baseline, world::Errors> read_baseline(const std::string& text,
                                                     const std::string& file);

/// Something that is otherwise than it was.
struct Change {
  enum class Kind : std::uint8_t {
    Broken,   ///< It passed, and does no longer. A regression.
    Lost,     ///< It passed, and is not shown any more, or is gone. A regression.
    Mended,   ///< It did not pass, and does.
    New,      ///< It was not there.
    Seen,     ///< The verdict is the same; what was seen is not.
    Trace,    ///< What was seen is the same; when, or how it came about, is not.
    Differs,  ///< It did not pass, and does not in another way.
  };
  Kind kind = Kind::New;
  std::string id;
  std::string text;  ///< Why it matters, and what it is: lines.

  bool is_regression() const { return kind == Kind::Broken || kind == Kind::Lost; }
};

/// In order of id.
std::vector<Change> changes(const Baseline& before, const Baseline& after);

/// For people at a terminal; ends with a line that counts.
std::string changes_text(const std::vector<Change>& changes, std::size_t runs);

}  // namespace reports
