#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "conformance/explain.h"

namespace conformance {

using nlohmann::ordered_json;

namespace {

/// Routes that do not match are listed up to here, the nearest first.
constexpr std::size_t kMostFailures = 5;

/// "mesh.yaml:12"; empty if nothing is known.
std::string place_text(const world::Place& place) {
  return place.known() ? fmt::format("{}:{}", place.file, place.line) : place.file;
}

std::string with_place(std::string_view what, const world::Place& place) {
  const std::string text = place_text(place);
  return text.empty() ? std::string(what) : fmt::format("{}  ({})", what, text);
}

std::string change_text(std::string_view before, std::string_view after, std::string_view reason) {
  return before == after ? fmt::format("{}: {}", after, reason)
                         : fmt::format("{} -> {}: {}", before, after, reason);
}

class Writer {
 public:
  std::string take() { return std::move(out_); }

  void title(std::string_view text) { out_.append(text).append("\n"); }
  void line(std::string_view label, std::string_view text) {
    if (!text.empty()) out_.append(fmt::format("  {:<9} {}\n", label, text));
  }

  /// One line for each route: what it is, what it takes, why it does not win.
  void routes(std::string_view label, const std::vector<const RouteStory*>& list,
              std::size_t most) {
    if (list.empty()) return;
    out_.append(fmt::format("  {}\n", label));
    const std::size_t shown = std::min(most, list.size());
    std::size_t width = 0;
    for (std::size_t i = 0; i < shown; ++i) width = std::max(width, name_of(*list[i]).size());
    for (std::size_t i = 0; i < shown; ++i) {
      out_.append(fmt::format("    {:<{}}  {}\n", name_of(*list[i]), width, list[i]->match));
      out_.append(fmt::format("    {:<{}}  {}\n", "", width, list[i]->reason));
    }
    if (shown < list.size()) {
      out_.append(fmt::format("    and {} more, all of them with --json\n", list.size() - shown));
    }
  }

  void hop(const HopStory& hop) {
    std::vector<const RouteStory*> losers;
    std::vector<const RouteStory*> not_reached;
    std::vector<const RouteStory*> failures;
    for (const RouteStory& route : hop.routes) {
      if (route.fate == RouteFate::Wins) continue;
      auto& list = route.fate == RouteFate::Loses        ? losers
                   : route.fate == RouteFate::NotReached ? not_reached
                                                         : failures;
      list.push_back(&route);
    }
    // Those that are nearest to matching first.
    std::stable_sort(failures.begin(), failures.end(), [](const auto* a, const auto* b) {
      if (a->path_matches != b->path_matches) return a->path_matches;
      return a->failed.size() < b->failed.size();
    });
    if (const RouteStory* winner = hop.winner(); winner != nullptr && hop.routed) {
      const std::string entry = winner->match.find(hop.matched + ",") == std::string::npos &&
                                        !ends_with(winner->match, hop.matched)
                                    ? fmt::format(" (as {})", hop.matched)
                                    : "";
      line("match", fmt::format("{}{}, priority {}{}", winner->match, entry, winner->priority,
                                winner->default_priority ? " as none is given" : ""));
      line("why", hop.why);
    }
    if (!hop.targets.empty() || !hop.target_reason.empty()) {
      if (!hop.target_reason.empty()) {
        line("path", change_text(hop.target, hop.target_after, hop.target_reason));
        line("host", change_text(hop.authority, hop.authority_after, hop.authority_reason));
      }
      line("timeout", hop.timeout);
      line("retries", hop.retry);
    }
    targets(hop.targets);
    if (hop.refusal) {
      line("answer", fmt::format("{}, flags {}, {}: {}", hop.refusal->status, hop.refusal->flags,
                                 hop.refusal->details, hop.refusal->reason));
    }
    routes("matches too, and loses:", losers, losers.size());
    routes("matches but for the host, and is not considered:", not_reached, not_reached.size());
    routes("does not match:", failures, kMostFailures);
  }

 private:
  static bool ends_with(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
  }

  static std::string name_of(const RouteStory& route) {
    return with_place(route.resource, route.place);
  }

  void targets(const std::vector<TargetStory>& list) {
    std::size_t width = 0;
    for (const TargetStory& target : list) width = std::max(width, node_text(target).size());
    for (const TargetStory& target : list) {
      line("target", fmt::format("{:<{}}  {}", node_text(target), width, target.endpoints));
      line("", "cluster " + target.cluster);
    }
  }

  static std::string node_text(const TargetStory& target) {
    const std::string node = "virtualNode " + target.node;
    const std::string named = target.made_up ? node : with_place(node, target.place);
    if (target.weight == target.total) return named;
    return fmt::format("weight {} of {}: {}", target.weight, target.total, named);
  }

  std::string out_;
};

std::string path_text(const HopStory& hop) {
  if (hop.given_target == hop.target) return hop.target;
  return fmt::format("{}, normalised from {}", hop.target, hop.given_target);
}

ordered_json place_json(const world::Place& place) {
  if (place.file.empty() && !place.known()) return nullptr;
  return {{"file", place.file}, {"line", place.line}, {"column", place.column}};
}

/// Absent words are null.
ordered_json text_json(const std::string& text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

ordered_json route_json(const RouteStory& route) {
  return {{"resource", route.resource},
          {"place", place_json(route.place)},
          {"match", route.match},
          {"priority", route.priority},
          {"priorityGiven", !route.default_priority},
          {"fate", text(route.fate)},
          {"reason", text_json(route.reason)},
          {"failed", route.failed}};
}

ordered_json target_json(const TargetStory& target) {
  return {{"virtualNode", target.node},   {"place", place_json(target.place)},
          {"defined", !target.made_up},   {"weight", target.weight},
          {"totalWeight", target.total},  {"cluster", target.cluster},
          {"endpoints", target.endpoints}};
}

ordered_json hop_json(const HopStory& hop) {
  ordered_json json{{"hop", hop.name},
                    {"port", hop.port},
                    {"given", hop.given_target},
                    {"target", hop.target},
                    {"host", hop.authority},
                    {"virtualHost", text_json(hop.virtual_host)},
                    {"virtualHostReason", text_json(hop.virtual_reason)}};
  const RouteStory* winner = hop.winner();
  json["winner"] = winner != nullptr ? ordered_json(winner->resource) : ordered_json(nullptr);
  if (winner != nullptr) {
    json["matched"] = hop.matched;
    json["why"] = hop.why;
    json["sent"] = {{"target", hop.target_after},
                    {"targetReason", text_json(hop.target_reason)},
                    {"host", hop.authority_after},
                    {"hostReason", text_json(hop.authority_reason)}};
    json["timeout"] = text_json(hop.timeout);
    json["retries"] = text_json(hop.retry);
  }
  json["targets"] = ordered_json::array();
  for (const TargetStory& target : hop.targets) json["targets"].push_back(target_json(target));
  json["answer"] = nullptr;
  if (hop.refusal) {
    json["answer"] = {{"status", hop.refusal->status},
                      {"flags", hop.refusal->flags},
                      {"details", hop.refusal->details},
                      {"reason", hop.refusal->reason}};
  }
  json["routes"] = ordered_json::array();
  for (const RouteStory& route : hop.routes) json["routes"].push_back(route_json(route));
  return json;
}

}  // namespace

std::string explanation_text(const Explanation& explanation) {
  const HopStory& first = explanation.ingress;
  Writer writer;
  writer.title(explanation.method + " " + explanation.url);
  writer.line("gateway",
              with_place(fmt::format("virtualGateway {}, port {}", explanation.gateway, first.port),
                         explanation.gateway_place));
  if (!first.target.empty()) {
    writer.line("path", path_text(first));
    writer.line("host",
                first.authority +
                    (first.virtual_reason.empty() ? std::string() : ": " + first.virtual_reason));
  }
  for (const std::string& note : explanation.notes) writer.line("note", note);

  const RouteStory* winner = first.winner();
  writer.title(winner == nullptr
                   ? "\nFirst hop: no route"
                   : "\nFirst hop: " + with_place(winner->resource + " wins", winner->place));
  writer.hop(first);
  if (!explanation.egress) return writer.take();

  const HopStory& second = *explanation.egress;
  const std::string service =
      with_place("virtualService " + explanation.service, explanation.service_place);
  const std::string provider =
      explanation.provider.empty() ? "no provider" : "provider " + explanation.provider;
  writer.title(fmt::format("\nSecond hop: {}, {}", service, provider));
  if (!explanation.service_defined) {
    writer.line("service", "not defined: scenarios put a node with one healthy endpoint behind it");
  }
  if (second.given_target != second.target) writer.line("path", path_text(second));
  if (second.authority != explanation.service) {
    writer.line("host", second.authority + ": " + second.virtual_reason);
  }
  if (const RouteStory* chosen = second.winner(); chosen != nullptr && second.routed) {
    writer.line("route", with_place(chosen->resource + " wins", chosen->place));
  }
  writer.hop(second);
  return writer.take();
}

ordered_json explanation_json(const Explanation& explanation) {
  ordered_json json{{"method", explanation.method},
                    {"url", explanation.url},
                    {"gateway", explanation.gateway},
                    {"gatewayPlace", place_json(explanation.gateway_place)},
                    {"notes", explanation.notes}};
  json["hops"] = ordered_json::array({hop_json(explanation.ingress)});
  json["virtualService"] = nullptr;
  if (!explanation.service.empty()) {
    json["virtualService"] = {{"name", explanation.service},
                              {"place", place_json(explanation.service_place)},
                              {"defined", explanation.service_defined},
                              {"provider", text_json(explanation.provider)}};
  }
  if (explanation.egress) json["hops"].push_back(hop_json(*explanation.egress));
  return json;
}

}  // namespace conformance
