#include "tools/recorded_command.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "conformance/recorded/compare.h"
#include "conformance/recorded/replay.h"
#include "reports/text.h"
#include "tools/known_differences.h"
#include "tools/output.h"
#include "tools/parallel.h"
#include "tools/record_files.h"
#include "tools/side_by_side.h"

namespace tools {
namespace {

using conformance::recorded::Outcome;
using Verdict = Outcome::Verdict;
using nlohmann::ordered_json;

/// How far one area agrees.
struct Area {
  std::size_t total = 0;
  std::size_t agree = 0;
  std::vector<std::string> differ;
  std::vector<std::string> unsupported;
};
using Areas = std::map<std::string, Area>;

world::Result<KnownDifferences, world::Errors> known_differences(
    const RecordedArguments& arguments) {
  if (!arguments.known.empty()) return read_known_differences(arguments.known);
  const std::filesystem::path beside =
      std::filesystem::path(arguments.files.front()).parent_path() / "known-differences.yaml";
  std::error_code ignored;
  if (!std::filesystem::exists(beside, ignored)) return KnownDifferences{};
  return read_known_differences(beside.string());
}

/// Keeps what was asked for. Errors: an id or area that is not there.
world::Errors keep_wanted(const RecordedArguments& arguments, std::vector<Record>& records) {
  std::set<std::string> wanted(arguments.show.begin(), arguments.show.end());
  std::set<std::string> found;
  std::vector<Record> kept;
  for (Record& record : records) {
    const std::string id = record.value["id"];
    if (!arguments.area.empty() && record.value["area"] != arguments.area) continue;
    if (!wanted.empty() && wanted.count(id) == 0) continue;
    found.insert(id);
    kept.push_back(std::move(record));
  }
  records = std::move(kept);
  world::Errors errors;
  for (const std::string& id : arguments.show) {
    if (found.count(id) == 0) errors.push_back({{}, "there is no record " + id, {}});
  }
  return errors;
}

/// What is left to say of a replay.
struct Replayed {
  Outcome outcome;
  std::string first_difference;       ///< Its pointer.
  std::optional<world::Error> error;  ///< The record could not be replayed.
};

Replayed replay(Record& record, bool keep) {
  Replayed replayed;
  try {
    replayed.outcome = conformance::recorded::replay(record.value);
  } catch (const std::exception& exception) {
    replayed.error = {{}, std::string("cannot be replayed: ") + exception.what(), record.place};
    return replayed;
  }
  Outcome& outcome = replayed.outcome;
  if (outcome.verdict == Verdict::Differ) {
    const auto all = conformance::recorded::differences(outcome.expected, outcome.actual);
    if (!all.empty()) replayed.first_difference = all.front().substr(0, all.front().find('\n'));
  }
  record.value = nullptr;
  if (!keep) outcome.expected = outcome.actual = nullptr;
  return replayed;
}

Areas count(const std::vector<Replayed>& all) {
  Areas areas;
  for (const Replayed& each : all) {
    Area& area = areas[each.outcome.area];
    ++area.total;
    if (each.outcome.verdict == Verdict::Agree) ++area.agree;
    if (each.outcome.verdict == Verdict::Differ) area.differ.push_back(each.outcome.id);
    if (each.outcome.verdict == Verdict::Unsupported) area.unsupported.push_back(each.outcome.id);
  }
  return areas;
}

std::string json_text(const Areas& areas) {
  ordered_json by_area = ordered_json::object();
  for (const auto& [name, area] : areas) {
    by_area[name] = {{"total", area.total},
                     {"agree", area.agree},
                     {"differ", area.differ},
                     {"unsupported", area.unsupported}};
  }
  const ordered_json all{{"areas", std::move(by_area)}};
  return all.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string table(const Areas& areas) {
  Area all;
  std::size_t width = 4;
  for (const auto& [name, area] : areas) width = std::max(width, reports::printable(name).size());
  const auto row = [width](const std::string& name, const Area& area) {
    const std::size_t judged = area.agree + area.differ.size();
    // Per mille, rounded down: 100.0 means all of them.
    const std::size_t share = judged == 0 ? 0 : area.agree * 1000 / judged;
    const std::string percent = judged == 0 ? "-" : fmt::format("{}.{} %", share / 10, share % 10);
    return fmt::format("{:<{}}  {:>6}  {:>6}  {:>7}  {:>6}  {:>11}\n", reports::printable(name),
                       width, area.total, area.agree, percent, area.differ.size(),
                       area.unsupported.size());
  };
  std::string text = fmt::format("{:<{}}  {:>6}  {:>6}  {:>7}  {:>6}  {:>11}\n", "area", width,
                                 "total", "agree", "", "differ", "unsupported");
  for (const auto& [name, area] : areas) {
    text += row(name, area);
    all.total += area.total;
    all.agree += area.agree;
    all.differ.insert(all.differ.end(), area.differ.begin(), area.differ.end());
    all.unsupported.insert(all.unsupported.end(), area.unsupported.begin(), area.unsupported.end());
  }
  return text + row("all", all);
}

/// What differs, as known or not, and why records are not supported.
std::string details(const std::vector<Replayed>& all, const KnownDifferences& known) {
  std::string text;
  std::map<std::string, std::size_t> unsupported;
  for (const Replayed& each : all) {
    const Outcome& outcome = each.outcome;
    const auto listed = known.find(outcome.id);
    const std::string id = reports::printable(outcome.id);
    if (outcome.verdict == Verdict::Unsupported) ++unsupported[outcome.reason];
    if (outcome.verdict == Verdict::Agree && listed != known.end()) {
      text += fmt::format("AGREES NOW  {}: take it off the known differences\n", id);
    }
    if (outcome.verdict != Verdict::Differ) continue;
    if (listed != known.end()) {
      text += fmt::format("known       {}: {}\n", id, reports::printable(listed->second));
    } else {
      text += fmt::format("DIFFERS     {} at {}\n", id, reports::printable(each.first_difference));
    }
  }
  for (const auto& [reason, number] : unsupported) {
    text += fmt::format("unsupported {}: {}\n", number, reports::printable(reason));
  }
  return text;
}

std::string shown(const Outcome& outcome, const KnownDifferences& known) {
  std::string text = reports::printable(fmt::format("{} ({})", outcome.id, outcome.area));
  if (outcome.verdict == Verdict::Unsupported) {
    return text + ": unsupported, " + reports::printable(outcome.reason) + "\n";
  }
  if (outcome.verdict == Verdict::Agree) return text + ": agrees\n";
  text += ": differs\n";
  const auto listed = known.find(outcome.id);
  if (listed != known.end()) text += "known: " + reports::printable(listed->second) + "\n";
  return text + side_by_side(outcome.expected, outcome.actual, "the real proxy", "simulated");
}

ExitStatus status_of(const std::vector<Replayed>& all, const KnownDifferences& known) {
  if (all.empty()) return ExitStatus::NothingRan;
  const bool surprise = std::any_of(all.begin(), all.end(), [&](const Replayed& each) {
    const bool listed = known.count(each.outcome.id) != 0;
    return each.outcome.verdict == (listed ? Verdict::Agree : Verdict::Differ);
  });
  return surprise ? ExitStatus::Failed : ExitStatus::Passed;
}

}  // namespace

ExitStatus recorded_command(const RecordedArguments& arguments) {
  const auto known = known_differences(arguments);
  if (!known) return refuse(known.error());
  auto read = read_records(arguments.files);
  if (!read) return refuse(read.error());
  std::vector<Record>& records = *read;
  if (const world::Errors errors = keep_wanted(arguments, records); !errors.empty()) {
    return refuse(errors);
  }

  const bool show = !arguments.show.empty();
  std::vector<Replayed> all(records.size());
  work_in_order({.count = records.size(),
                 .jobs = arguments.jobs,
                 .work = [&](std::size_t i) { all[i] = replay(records[i], show); },
                 .done = {},
                 .stop = {}});
  world::Errors errors;
  for (const Replayed& each : all) {
    if (each.error) errors.push_back(*each.error);
  }
  if (!errors.empty()) return refuse(errors);

  if (arguments.json) {
    print(json_text(count(all)));
  } else if (show) {
    for (const Replayed& each : all) print(shown(each.outcome, *known));
  } else {
    print(table(count(all)) + details(all, *known));
  }
  if (all.empty()) complain("no record was selected");
  return status_of(all, *known);
}

}  // namespace tools
