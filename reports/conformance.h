#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/clause.h"
#include "conformance/verdict.h"

/// What a target conforms to, clause by clause.
namespace reports {

enum class ClauseState : std::uint8_t {
  Kept,        ///< A run that cites it passed, and none failed.
  Known,       ///< A run that cites it is known to differ.
  Broken,      ///< A run that cites it failed.
  NotShown,    ///< None that cites it can be shown on this target, or the clause is not of one.
  NoScenario,  ///< No run cites it.
};
/// "kept", "known to differ", "broken", "not shown", "no scenario".
std::string_view word_of(ClauseState state);

struct ClauseResult {
  const conformance::Clause* clause = nullptr;
  ClauseState state = ClauseState::NoScenario;
  std::size_t passed = 0;         ///< Runs that cite it and passed.
  std::vector<std::string> runs;  ///< Those that make it what it is, unless it is kept.
  std::string reason;             ///< Of the first of them.
};

/// Clauses that are published together.
struct Profile {
  const char* name;  ///< "GATEWAY-ROUTING"
  std::vector<std::string_view> areas;
};
const std::vector<Profile>& profiles();

struct Conformance {
  std::string target;
  std::string version;  ///< Of meshproof.
  std::vector<ClauseResult> clauses;
  /// Ids that runs cite and that are no clauses of ours.
  std::vector<std::string> strangers;
};

/// On a live target only what the clauses say can be shown live counts.
Conformance conformance_of(const std::vector<conformance::Clause>& clauses,
                           const conformance::Report& report);

/// How one level of a profile came out.
struct Level {
  std::size_t kept = 0, known = 0, broken = 0, not_shown = 0;
  /// "success"; "partial": something is not shown or known to differ; "failure".
  std::string_view result() const;
};
Level level_of(const Conformance& conformance, const Profile& profile, bool core);

/// Whether all is well: no core clause is broken; strictly, none at all, and none is known to
/// differ.
bool conforms(const Conformance& conformance, const std::vector<Profile>& of, bool strict);

/// For people at a terminal.
std::string conformance_text(const Conformance& conformance, const std::vector<Profile>& of);
/// conformance.json: all of it.
std::string conformance_json(const std::vector<Conformance>& all);
/// A report of the shape that Gateway API's implementations publish.
std::string conformance_report(const Conformance& conformance, const std::vector<Profile>& of);
/// The matrix clause by target, as a page of Markdown.
std::string conformance_markdown(const std::vector<Conformance>& all,
                                 const std::vector<Profile>& of);

}  // namespace reports
