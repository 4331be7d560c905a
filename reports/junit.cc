#include "reports/junit.h"

#include <map>
#include <sstream>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "reports/failure_text.h"
#include "reports/summary.h"
#include "reports/text.h"

namespace reports {
namespace {

using conformance::Outcome;
using conformance::Report;
using conformance::RunResult;

/// XML 1.0 cannot hold control characters, not even escaped, so they are made visible first.
void set(pugi::xml_node node, const char* name, std::string_view value) {
  node.append_attribute(name).set_value(printable(value).c_str());
}

std::string seconds_attribute(world::Duration duration) {
  std::string text = seconds_text(duration, 9);
  text.pop_back();  // the unit
  return text;
}

/// A dot separates packages for CI servers, so a folder's own dots become underscores.
std::string classname_of(std::string_view id) {
  std::string out;
  for (std::string folder : split_id(id).folders) {
    for (char& c : folder) {
      if (c == '.') c = '_';
    }
    out += (out.empty() ? "" : ".") + folder;
  }
  return out.empty() ? "scenarios" : out;
}

void add_property(pugi::xml_node properties, const char* name, std::string_view value) {
  if (value.empty()) return;
  pugi::xml_node property = properties.append_child("property");
  set(property, "name", name);
  set(property, "value", value);
}

void add_properties(pugi::xml_node testcase, const RunResult& run) {
  pugi::xml_node properties = testcase.append_child("properties");
  add_property(properties, "title", run.title);
  add_property(properties, "seed", std::to_string(run.seed));
  std::string clauses;
  for (const std::string& clause : run.clauses) clauses += (clauses.empty() ? "" : ",") + clause;
  add_property(properties, "clauses", clauses);
  add_property(properties, "trace_hash", run.trace_hash);
  add_property(properties, "replay", run.replay);
}

void add_verdict(pugi::xml_node testcase, const RunResult& run) {
  if (run.outcome == Outcome::Passed) return;
  if (run.outcome == Outcome::Skipped || run.outcome == Outcome::Known) {
    const bool known = run.outcome == Outcome::Known;
    set(testcase.append_child("skipped"), "message",
        known ? "known to differ: " + run.reason : run.reason);
    return;
  }
  const bool failed = run.outcome == Outcome::Failed;
  pugi::xml_node verdict = testcase.append_child(failed ? "failure" : "error");
  set(verdict, "message", failure_headline(run));
  set(verdict, "type", failed ? "expectation" : run.errors.empty() ? "harness" : "bad-scenario");
  verdict.append_child(pugi::node_pcdata).set_value(failure_text(run).c_str());
}

void add_counts(pugi::xml_node node, const Counts& counts, world::Duration simulated) {
  set(node, "tests", std::to_string(counts.total()));
  set(node, "failures", std::to_string(counts.failed));
  set(node, "errors", std::to_string(counts.errors));
  set(node, "skipped", std::to_string(counts.skipped + counts.known));
  set(node, "time", seconds_attribute(simulated));
}

void add_testcase(pugi::xml_node suite, const RunResult& run, const std::string& name) {
  pugi::xml_node testcase = suite.append_child("testcase");
  set(testcase, "name", name);
  set(testcase, "classname", classname_of(run.id));
  set(testcase, "file", run.file);
  set(testcase, "time", seconds_attribute(run.simulated));
  add_properties(testcase, run);
  add_verdict(testcase, run);
}

}  // namespace

std::string junit_xml(const Report& report) {
  std::map<std::string, std::vector<const RunResult*>> areas;
  Counts all;
  world::Duration all_simulated{};
  for (const RunResult& run : report.runs) {
    areas[area_of(run.id)].push_back(&run);
    all.add(run.outcome);
    all_simulated += run.simulated;
  }

  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  declaration.append_attribute("version").set_value("1.0");
  declaration.append_attribute("encoding").set_value("UTF-8");
  pugi::xml_node suites = document.append_child("testsuites");
  set(suites, "name", "meshproof " + report.target);
  add_counts(suites, all, all_simulated);

  for (const auto& [area, runs] : areas) {
    Counts counts;
    world::Duration simulated{};
    for (const RunResult* run : runs) {
      counts.add(run->outcome);
      simulated += run->simulated;
    }
    pugi::xml_node suite = suites.append_child("testsuite");
    set(suite, "name", area);
    add_counts(suite, counts, simulated);
    // Some servers keep only one of two cases with the same name: a repeated run gets a number.
    std::map<std::string, int> times;
    for (const RunResult* run : runs) {
      const int time = ++times[run->id];
      const std::string name = split_id(run->id).name;
      add_testcase(suite, *run, time == 1 ? name : fmt::format("{} #{}", name, time));
    }
  }
  std::ostringstream out;
  document.save(out, "  ", pugi::format_indent, pugi::encoding_utf8);
  return out.str();
}

}  // namespace reports
