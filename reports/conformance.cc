#include "reports/conformance.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "reports/text.h"

namespace reports {

using conformance::Clause;
using conformance::Outcome;
using conformance::RunResult;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::string_view kSimulated = "sim";

std::string_view word_of(Clause::Weight weight) {
  switch (weight) {
    case Clause::Weight::Must:
      return "must";
    case Clause::Weight::Default:
      return "default";
    case Clause::Weight::Observed:
      return "observed";
  }
  return "";
}

/// Whether a target can show the clause at all.
bool is_of(const Clause& clause, const std::string& target) {
  return target == kSimulated || clause.shown.contains("live");
}

bool is_in(const Profile& profile, const Clause& clause) {
  return std::find(profile.areas.begin(), profile.areas.end(), clause.area) != profile.areas.end();
}

ClauseState state_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::Passed:
      return ClauseState::Kept;
    case Outcome::Known:
      return ClauseState::Known;
    case Outcome::Failed:
    case Outcome::Error:
      return ClauseState::Broken;
    case Outcome::Skipped:
      return ClauseState::NotShown;
  }
  return ClauseState::NoScenario;
}

/// What more than one run make of a clause: the worst, but one that cannot be shown weighs least.
int weight_of(ClauseState state) {
  switch (state) {
    case ClauseState::NoScenario:
      return 0;
    case ClauseState::NotShown:
      return 1;
    case ClauseState::Kept:
      return 2;
    case ClauseState::Known:
      return 3;
    case ClauseState::Broken:
      return 4;
  }
  return 0;
}

void add(ClauseResult& result, const RunResult& run) {
  const ClauseState state = state_of(run.outcome);
  if (state == ClauseState::Kept) ++result.passed;
  if (weight_of(state) > weight_of(result.state)) {
    result.state = state;
    result.runs.clear();
    result.reason = run.reason;
  }
  if (state == result.state && state != ClauseState::Kept) result.runs.push_back(run.id);
}

std::string what_broke(const ClauseResult& result) {
  std::string out = fmt::format("{}", fmt::join(result.runs, ", "));
  if (!result.reason.empty()) out += fmt::format("{}{}", out.empty() ? "" : ": ", result.reason);
  return printable(out);
}

const char* sign_of(ClauseState state) {
  switch (state) {
    case ClauseState::Kept:
      return "kept";
    case ClauseState::Known:
      return "**known**";
    case ClauseState::Broken:
      return "**BROKEN**";
    case ClauseState::NotShown:
      return "not shown";
    case ClauseState::NoScenario:
      return "no scenario";
  }
  return "";
}

std::string counts_of(const Level& level) {
  std::string out = fmt::format("{} kept", level.kept);
  if (level.known != 0) out += fmt::format(", {} known to differ", level.known);
  if (level.broken != 0) out += fmt::format(", {} broken", level.broken);
  if (level.not_shown != 0) out += fmt::format(", {} not shown", level.not_shown);
  return out;
}

Level total_of(const Conformance& conformance, const std::vector<Profile>& of) {
  Level all;
  for (const Profile& profile : of) {
    for (const bool core : {true, false}) {
      const Level one = level_of(conformance, profile, core);
      all.kept += one.kept;
      all.known += one.known;
      all.broken += one.broken;
      all.not_shown += one.not_shown;
    }
  }
  return all;
}

/// A cell of a table.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

Json level_json(const Conformance& conformance, const Profile& profile, bool core) {
  const Level level = level_of(conformance, profile, core);
  Json out = {{"result", level.result()},
              {"statistics",
               {{"Passed", level.kept},
                {"Skipped", level.not_shown},
                {"Failed", level.broken + level.known}}}};
  for (const ClauseResult& one : conformance.clauses) {
    if (!is_in(profile, *one.clause) || one.clause->is_core() != core) continue;
    const bool failed = one.state == ClauseState::Broken || one.state == ClauseState::Known;
    if (failed) out["failedTests"].push_back(one.clause->id);
    if (!failed && one.state != ClauseState::Kept) out["skippedTests"].push_back(one.clause->id);
    if (!core && one.state == ClauseState::Kept) {
      out["supportedFeatures"].push_back(one.clause->id);
    }
  }
  return out;
}

}  // namespace

std::string_view word_of(ClauseState state) {
  switch (state) {
    case ClauseState::Kept:
      return "kept";
    case ClauseState::Known:
      return "known to differ";
    case ClauseState::Broken:
      return "broken";
    case ClauseState::NotShown:
      return "not shown";
    case ClauseState::NoScenario:
      return "no scenario";
  }
  assert(false);
  return "";
}

const std::vector<Profile>& profiles() {
  static const std::vector<Profile> kAll = {
      {"GATEWAY-ROUTING", {"ingress", "routing", "rewrites", "listener", "logging"}},
      {"GATEWAY-TRAFFIC", {"pool", "balancer", "time-and-failure"}},
      {"GATEWAY-HEALTH", {"health"}},
      {"GATEWAY-TLS", {"tls-listener", "tls-client"}},
      {"GATEWAY-API", {"deploy", "api", "deletion"}},
  };
  return kAll;
}

Conformance conformance_of(const std::vector<Clause>& clauses, const conformance::Report& report) {
  Conformance out{report.target, report.version, {}, {}};
  std::map<std::string_view, ClauseResult> by_id;
  for (const Clause& clause : clauses) by_id[clause.id].clause = &clause;
  std::set<std::string> strangers;
  for (const RunResult& run : report.runs) {
    for (const std::string& id : run.clauses) {
      const auto found = by_id.find(id);
      if (found == by_id.end()) {
        strangers.insert(id);
      } else if (is_of(*found->second.clause, report.target)) {
        add(found->second, run);
      } else {
        found->second.state = ClauseState::NotShown;
        found->second.reason = "it is shown in the simulated world";
      }
    }
  }
  for (const Clause& clause : clauses) out.clauses.push_back(by_id[clause.id]);
  out.strangers.assign(strangers.begin(), strangers.end());
  return out;
}

std::string_view Level::result() const {
  if (broken != 0) return "failure";
  return known + not_shown != 0 ? "partial" : "success";
}

Level level_of(const Conformance& conformance, const Profile& profile, bool core) {
  Level level;
  for (const ClauseResult& one : conformance.clauses) {
    if (!is_in(profile, *one.clause) || one.clause->is_core() != core) continue;
    switch (one.state) {
      case ClauseState::Kept:
        ++level.kept;
        break;
      case ClauseState::Known:
        ++level.known;
        break;
      case ClauseState::Broken:
        ++level.broken;
        break;
      case ClauseState::NotShown:
      case ClauseState::NoScenario:
        ++level.not_shown;
        break;
    }
  }
  return level;
}

bool conforms(const Conformance& conformance, const std::vector<Profile>& of, bool strict) {
  return std::all_of(of.begin(), of.end(), [&](const Profile& profile) {
    const Level core = level_of(conformance, profile, true);
    const Level extended = level_of(conformance, profile, false);
    if (core.broken != 0) return false;
    return !strict || core.known + extended.known + extended.broken == 0;
  });
}

std::string conformance_text(const Conformance& conformance, const std::vector<Profile>& of) {
  std::string out;
  for (const Profile& profile : of) {
    for (const bool core : {true, false}) {
      const Level level = level_of(conformance, profile, core);
      if (level.kept + level.known + level.broken + level.not_shown == 0) continue;
      out += fmt::format("{:<16} {:<9} {:<8} {}\n", core ? profile.name : "",
                         core ? "core" : "extended", level.result(), counts_of(level));
    }
  }
  for (const ClauseResult& one : conformance.clauses) {
    const bool wanted = std::any_of(
        of.begin(), of.end(), [&](const Profile& profile) { return is_in(profile, *one.clause); });
    if (!wanted || one.state == ClauseState::Kept) continue;
    const std::string why = what_broke(one);
    out += fmt::format("{:<15}  {:<8} {} ({}){}{}\n", word_of(one.state), one.clause->id,
                       one.clause->says, word_of(one.clause->weight), why.empty() ? "" : "\n    ",
                       why);
  }
  for (const std::string& id : conformance.strangers) {
    out += fmt::format("{} is cited, and no clause of ours\n", printable(id));
  }
  return out + fmt::format("{}: {}\n", printable(conformance.target),
                           counts_of(total_of(conformance, of)));
}

std::string conformance_json(const std::vector<Conformance>& all) {
  Json out = {{"format", 1}, {"targets", Json::array()}};
  for (const Conformance& one : all) {
    Json target = {{"target", one.target}, {"version", one.version}, {"clauses", Json::array()}};
    for (const ClauseResult& result : one.clauses) {
      target["clauses"].push_back({{"id", result.clause->id},
                                   {"area", result.clause->area},
                                   {"weight", word_of(result.clause->weight)},
                                   {"state", word_of(result.state)},
                                   {"passed", result.passed},
                                   {"runs", result.runs},
                                   {"reason", result.reason}});
    }
    out["targets"].push_back(std::move(target));
  }
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string conformance_report(const Conformance& conformance, const std::vector<Profile>& of) {
  Json out = {
      {"apiVersion", "meshproof/v1"},
      {"kind", "ConformanceReport"},
      {"mode", "default"},
      {"implementation", {{"project", conformance.target}, {"version", ""}, {"organization", ""}}},
      {"suite", {{"name", "meshproof"}, {"version", conformance.version}}},
      {"profiles", Json::array()}};
  for (const Profile& profile : of) {
    out["profiles"].push_back({{"name", profile.name},
                               {"summary", counts_of(total_of(conformance, {profile}))},
                               {"core", level_json(conformance, profile, true)},
                               {"extended", level_json(conformance, profile, false)}});
  }
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string conformance_markdown(const std::vector<Conformance>& all,
                                 const std::vector<Profile>& of) {
  std::string out =
      "# What conforms to what\n\nEach clause of `spec/clauses.yaml`, and what the "
      "scenarios that cite it show of it.\n\n";
  std::string heads;
  std::string rules;
  for (const Conformance& one : all) {
    heads += fmt::format(" `{}` |", cell(printable(one.target)));
    rules += "---|";
  }
  out += fmt::format("| profile | level |{}\n|---|---|{}\n", heads, rules);
  for (const Profile& profile : of) {
    for (const bool core : {true, false}) {
      out += fmt::format("| {} | {} |", profile.name, core ? "core" : "extended");
      for (const Conformance& one : all) {
        const Level level = level_of(one, profile, core);
        out += fmt::format(" {}: {} |", level.result(), counts_of(level));
      }
      out += "\n";
    }
  }
  for (const Profile& profile : of) {
    out += fmt::format("\n## {}\n\n| clause | | weight |{}\n|---|---|---|{}\n", profile.name, heads,
                       rules);
    for (std::size_t i = 0; !all.empty() && i < all.front().clauses.size(); ++i) {
      const Clause& clause = *all.front().clauses[i].clause;
      if (!is_in(profile, clause)) continue;
      out += fmt::format("| {} | {} | {} |", clause.id, cell(clause.says), word_of(clause.weight));
      for (const Conformance& one : all) out += fmt::format(" {} |", sign_of(one.clauses[i].state));
      out += "\n";
    }
  }
  std::string differences;
  for (const Conformance& one : all) {
    for (const ClauseResult& result : one.clauses) {
      if (result.state != ClauseState::Known && result.state != ClauseState::Broken) continue;
      differences += fmt::format("- `{}`, {}: {}\n", printable(one.target), result.clause->id,
                                 what_broke(result));
    }
  }
  if (!differences.empty()) out += "\n## Differences\n\n" + differences;
  return out;
}

}  // namespace reports
