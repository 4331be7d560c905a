#include "conformance/explain_health.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "conformance/explain.h"
#include "conformance/units.h"
#include "proxy/check_state.h"
#include "proxy/compile.h"

namespace conformance {
namespace {

using namespace std::chrono_literals;
using proxy::CheckResult;
using proxy::CheckState;
using proxy::HealthCheckPlan;
using Kind = HealthCheckPlan::Kind;
using Rules = HealthCheckPlan::Rules;

/// What an endpoint does for some probes of the course.
struct Spell {
  std::string_view answer;
  CheckResult result = CheckResult::Success;
  std::size_t at_least = 1;  // probes, and then as many as a change takes
  bool healthy_after = true;
};

/// How an answer of that kind is called.
struct Words {
  std::string_view good;
  std::string_view bad;
  std::string_view none = "no answer";
  CheckResult bad_result = CheckResult::Failure;
};

Words words_of(Kind kind) {
  switch (kind) {
    case Kind::Grpc:
      return {"SERVING", "NOT_SERVING"};
    case Kind::Tcp:
      return {"accepted", "refused", "no answer", CheckResult::NetworkFailure};
    case Kind::Http:
    case Kind::Http2:
      break;
  }
  return {"200", "503"};
}

std::string probe_words(const HealthCheckPlan& plan) {
  const std::string within = duration_text(plan.timeout) + " for an answer";
  switch (plan.kind) {
    case Kind::Http:
      return fmt::format("GET {} over HTTP/1.1, {}", plan.path, within);
    case Kind::Http2:
      return fmt::format("GET {} over HTTP/2, {}", plan.path, within);
    case Kind::Grpc:
      return fmt::format("grpc.health.v1.Health/Check, {}", within);
    case Kind::Tcp:
      return fmt::format("a TCP connection, {}", within);
  }
  return within;
}

std::string bad_words(Kind kind) {
  switch (kind) {
    case Kind::Grpc:
      return "any other answer than SERVING";
    case Kind::Tcp:
      return "";
    case Kind::Http:
    case Kind::Http2:
      break;
  }
  return "any other status than 200";
}

std::string rules_words(const HealthCheckPlan& plan) {
  if (plan.rules == Rules::Letter) {
    return fmt::format(
        "by the letter of the documents: {} successes in a row make it healthy, {} failures in a "
        "row unhealthy, whatever the failure",
        plan.healthy_threshold, plan.unhealthy_threshold);
  }
  const std::string bad = bad_words(plan.kind);
  return fmt::format(
      "by the real proxy's rules: the first success of all makes it healthy, later it takes {} in "
      "a row; {} without an answer in a row make it unhealthy{}",
      plan.healthy_threshold, plan.unhealthy_threshold,
      bad.empty() ? "" : ", " + bad + " does so at once");
}

/// Lets the state machine take answers, with the times at which they come.
class Course {
 public:
  explicit Course(const HealthCheckPlan& plan) : plan_(plan), state_(plan) {}

  void add(const Spell& spell) {
    for (std::size_t i = 0; i < spell.at_least || state_.healthy() != spell.healthy_after; ++i) {
      if (i >= kMost) return;
      probe(spell);
    }
  }
  void add_one(const Spell& spell) { probe(spell); }
  std::vector<ProbeStory> take() { return std::move(course_); }

 private:
  static constexpr std::size_t kMost = 12;  // thresholds are 10 at most

  void probe(const Spell& spell) {
    const bool silent = spell.result == CheckResult::NetworkFailure && spell.answer == "no answer";
    ProbeStory story;
    story.at = next_;
    story.ended = next_ + (silent ? plan_.timeout : 0s);
    story.answer = spell.answer;
    const bool first = state_.first();
    const bool before = state_.healthy();
    const auto transition = state_.take(spell.result);
    story.healthy = state_.healthy();
    const bool success = spell.result == CheckResult::Success;
    if (success == before) row_ = 0;
    if (success != before) ++row_;
    const std::uint32_t needed = success ? plan_.healthy_threshold : plan_.unhealthy_threshold;
    if (transition == CheckState::Transition::Pending) {
      story.why = fmt::format("{} of {} in a row", row_, needed);
    } else if (transition == CheckState::Transition::Changed) {
      story.why = fmt::format("turns {}", story.healthy ? "healthy" : "unhealthy");
      if (row_ < needed) story.why += first ? ": the first of all" : ": at once";
      row_ = 0;
    }
    next_ = plan_.rules == Rules::Letter ? std::max(story.at + plan_.interval, story.ended)
                                         : story.ended + plan_.interval;
    course_.push_back(std::move(story));
  }

  const HealthCheckPlan& plan_;
  CheckState state_;
  world::Duration next_{};
  std::uint32_t row_ = 0;
  std::vector<ProbeStory> course_;
};

/// Up, silent, up again, one wrong answer, up again.
std::vector<ProbeStory> course_of(const HealthCheckPlan& plan) {
  const Words words = words_of(plan.kind);
  const Spell good{words.good, CheckResult::Success, 1, true};
  Course course(plan);
  course.add(good);
  course.add_one(good);
  course.add({words.none, CheckResult::NetworkFailure, 1, false});
  course.add(good);
  course.add_one({words.bad, words.bad_result, 1, false});
  course.add(good);
  return course.take();
}

HealthStory story_of(const mesh::HealthCheck& check, Rules rules) {
  const HealthCheckPlan plan = proxy::check_plan(check, rules);
  HealthStory story;
  story.probe = probe_words(plan);
  story.rules = rules_words(plan);
  story.course = course_of(plan);
  if (rules == Rules::Letter) {
    story.checked_by = "whoever watches the gateway: nothing in a mesh does (AM-HC-03)";
    story.schedule = fmt::format("one probe each {}", duration_text(plan.interval));
    story.clauses = {"HC-02", "HC-03", "HC-05", "HC-06"};
  } else {
    story.checked_by = "each gateway instance, every endpoint (AM-HC-02)";
    story.schedule =
        fmt::format("{} after the end of the one before; {} until the first request",
                    duration_text(plan.interval), duration_text(plan.no_traffic_interval));
    story.clauses = {"HC-04", "HC-06"};
  }
  return story;
}

/// The nodes that requests through the gateway can come to, in the order of definition.
std::vector<const mesh::VirtualNode*> nodes_behind(const mesh::Mesh& mesh,
                                                   const std::string& gateway) {
  std::vector<const mesh::VirtualNode*> nodes;
  const auto plan = proxy::compile(mesh, gateway);
  if (!plan || !(*plan)->egress) return nodes;
  for (const mesh::VirtualNode& node : mesh.nodes) {
    const auto& clusters = (*plan)->egress->clusters;
    if (std::any_of(clusters.begin(), clusters.end(),
                    [&node](const proxy::Cluster& cluster) { return cluster.node == node.name; })) {
      nodes.push_back(&node);
    }
  }
  return nodes;
}

void add_listeners(std::vector<HealthStory>& stories, std::string_view kind,
                   const mesh::Resource& of, const std::vector<mesh::Listener>& listeners,
                   Rules rules) {
  for (const mesh::Listener& listener : listeners) {
    if (!listener.health_check) continue;
    HealthStory story = story_of(*listener.health_check, rules);
    story.what = fmt::format("{} {}, listener {}", kind, of.name, listener.port_mapping.port);
    story.place = of.origin.place;
    stories.push_back(std::move(story));
  }
}

std::string time_text(world::Duration at) {
  return at == world::Duration::zero() ? "0s" : duration_text(at);
}

}  // namespace

world::Result<std::vector<HealthStory>> explain_health(const mesh::Mesh& mesh,
                                                       std::string_view gateway) {
  const auto chosen = choose_gateway(mesh, gateway, "");
  if (!chosen) return chosen.error();
  const mesh::VirtualGateway& found = **chosen;
  std::vector<HealthStory> stories;
  add_listeners(stories, "virtualGateway", found, found.listeners, Rules::Letter);
  for (const mesh::VirtualNode* node : nodes_behind(mesh, found.name)) {
    add_listeners(stories, "virtualNode", *node, node->listeners, Rules::Proxy);
  }
  return stories;
}

std::string health_text(const std::vector<HealthStory>& stories) {
  std::string out;
  if (stories.empty()) return "No listener of the gateway or behind it has a health check.\n";
  for (const HealthStory& story : stories) {
    if (!out.empty()) out += "\n";
    out += story.what;
    if (story.place.known()) out += fmt::format("  ({}:{})", story.place.file, story.place.line);
    out += fmt::format(
        "\n  checked by {}\n  probe      {}\n  when       {}\n  verdict    {} ({})\n",
        story.checked_by, story.probe, story.schedule, story.rules, fmt::join(story.clauses, ", "));
    out += "  as in\n";
    for (const ProbeStory& probe : story.course) {
      std::string when = time_text(probe.at);
      if (probe.ended != probe.at) when += " to " + time_text(probe.ended);
      const std::string line = fmt::format("    {:<14} {:<11} {:<10} {}", when, probe.answer,
                                           probe.healthy ? "healthy" : "unhealthy", probe.why);
      out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
  }
  return out;
}

nlohmann::ordered_json health_json(const std::vector<HealthStory>& stories) {
  using nlohmann::ordered_json;
  ordered_json list = ordered_json::array();
  for (const HealthStory& story : stories) {
    ordered_json course = ordered_json::array();
    for (const ProbeStory& probe : story.course) {
      course.push_back({{"at", time_text(probe.at)},
                        {"ended", time_text(probe.ended)},
                        {"answer", probe.answer},
                        {"state", probe.healthy ? "healthy" : "unhealthy"},
                        {"why", probe.why}});
    }
    list.push_back({{"what", story.what},
                    {"checkedBy", story.checked_by},
                    {"probe", story.probe},
                    {"when", story.schedule},
                    {"verdict", story.rules},
                    {"clauses", story.clauses},
                    {"course", std::move(course)}});
    if (story.place.known()) {
      list.back()["file"] = story.place.file;
      list.back()["line"] = story.place.line;
    }
  }
  return {{"healthChecks", std::move(list)}};
}

}  // namespace conformance
