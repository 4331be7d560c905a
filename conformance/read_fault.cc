#include "conformance/read_fault.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "conformance/read_expect.h"
#include "conformance/read_parts.h"
#include "conformance/read_respond.h"
#include "conformance/read_world.h"
#include "conformance/units.h"

namespace conformance {

using document::Reader;
using Kind = Fault::Kind;

namespace {

/// The words that a fault may begin with, beside service/ and endpoint/.
constexpr std::array<std::string_view, 11> kWords = {"partition", "latency", "loss",  "bandwidth",
                                                     "blackhole", "refuse",  "reset", "close",
                                                     "crash",     "dns",     "clock"};

/// Of what SCENARIOS.md lists, the words that are not there yet.
constexpr std::array<std::string_view, 4> kLater = {"pause", "halfOpen", "slowReader",
                                                    "slowWriter"};

constexpr std::string_view kGateway = "gateway/";

class FaultReader {
 public:
  FaultReader(const WorldSetup& world, const mesh::Mesh& mesh, const Names& names,
              const std::shared_ptr<const Protos>& protos)
      : world_(world), mesh_(mesh), names_(names), protos_(protos) {}

  Fault read(Reader at) {
    Fault out;
    out.place = at.place();
    if (!at.expect_object()) return out;
    const auto& members = at.value().object();
    const bool instances =
        !members.empty() && std::all_of(members.begin(), members.end(), [](const auto& member) {
          return member.key.rfind(kGateway, 0) == 0;
        });
    if (instances) {
      read_instances(out, at);
      return out;
    }
    if (members.size() != 1) {
      at.fail("must have exactly one member: what is struck, or how");
      return out;
    }
    const std::string key = at.value().object().front().key;
    if (const auto entity = entity_of(key)) {
      read_behaviour(out, *at.optional(key), key, *entity);
      return out;
    }
    for (const std::string_view later : kLater) refuse_unsupported(at, later);
    const auto value = at.optional(key);
    if (key == "partition") {
      read_partition(out, *value);
    } else if (key == "latency") {
      read_latency(out, *value);
    } else if (key == "loss" || key == "bandwidth") {
      read_rate(out, *value, key);
    } else if (key == "dns") {
      read_name(out, *value);
    } else if (key == "clock") {
      read_clock(out, *value);
    } else if (std::find(kWords.begin(), kWords.end(), key) != kWords.end()) {
      read_target(out, *value, key);
    } else if (std::find(kLater.begin(), kLater.end(), key) == kLater.end()) {
      const std::vector<std::string> known(kWords.begin(), kWords.end());
      const std::string near = document::nearest(key, known);
      at.fail_key(key, near.empty()
                           ? fmt::format("is no fault; there is {}", fmt::join(kWords, ", "))
                           : fmt::format("is no fault; did you mean {}?", near));
    }
    return out;
  }

 private:
  void read_instances(Fault& out, Reader& at) {
    out.kind = Kind::Instance;
    for (const auto& [member, value] : at.members()) {
      FaultAction action;
      action.gateway = member->key.substr(kGateway.size());
      if (!names_.has(EntityKind::Gateway, action.gateway)) {
        at.fail_key(member->key, names_.unknown(EntityKind::Gateway, action.gateway));
      }
      using What = FaultAction::Kind;
      constexpr What kKinds[] = {What::Stopped, What::Running, What::Closed, What::Unreachable,
                                 What::Reachable};
      const auto kind =
          value.as_choice({"stopped", "running", "closed", "unreachable", "reachable"});
      if (!kind) continue;
      action.kind = kKinds[*kind];
      if (!out.written.empty()) out.written += ", ";
      out.written += member->key + " " + value.value().string();
      out.instances.push_back(std::move(action));
    }
  }

  void read_behaviour(Fault& out, Reader at, const std::string& key,
                      const std::pair<EntityKind, std::string>& entity) {
    out.kind = Kind::Behaviour;
    out.target = entity.second;
    out.written = key + " answers otherwise";
    if (entity.first != EntityKind::Service && entity.first != EntityKind::Endpoint) {
      at.fail("must be of a service/ or an endpoint/");
      return;
    }
    if (!names_.has(entity.first, entity.second)) {
      at.fail(names_.unknown(entity.first, entity.second));
      return;
    }
    if (!at.expect_object()) return;
    const mesh::VirtualNode* const node = node_of(entity.first, entity.second);
    const bool http2 = node != nullptr && speaks_http2(*node);
    if (const auto respond = at.optional("respond")) {
      out.respond = read_respond(*respond, http2, protos_);
    }
    if (const auto health = at.optional("health")) {
      out.health = read_respond(*health, http2, protos_);
    }
    if (!out.respond && !out.health) at.fail("must have respond or health");
    at.finish();
  }

  const mesh::VirtualNode* node_of(EntityKind kind, const std::string& name) const {
    if (kind == EntityKind::Endpoint) {
      for (const ServiceSetup& setup : world_.services) {
        for (std::uint32_t i = 1; i <= setup.endpoints; ++i) {
          if (numbered(setup.node, i) == name) return mesh_.node(setup.node);
        }
      }
      return nullptr;
    }
    return conformance::node_of(mesh_, name);
  }

  /// "gateway/edge-1" or "edge-1": hosts that links join.
  std::string read_end(const Reader& at) const {
    const auto text = at.as_string({1});
    if (!text) return {};
    const std::size_t slash = text->find('/');
    std::string name = *text;
    if (slash != std::string::npos && entity_from_word(text->substr(0, slash))) {
      name = text->substr(slash + 1);
    }
    if (!names_.is_link_end(name)) at.fail(names_.unknown_link_end(name));
    return name;
  }

  /// `[A, B]`, or `between`, or `from` and `to`. The words of `in` are left to be finished.
  LinkFault read_ends(Reader& in) {
    LinkFault link;
    const auto pair = [&](const Reader& at) {
      const auto items = at.as_items({2, 2});
      if (items.size() != 2) return;
      link.from = read_end(items[0]);
      link.to = read_end(items[1]);
    };
    if (in.value().is_list()) {
      pair(in);
      return link;
    }
    if (!in.expect_object()) return link;
    if (const auto between = in.optional("between")) {
      pair(*between);
      return link;
    }
    link.both_ways = false;
    if (const auto from = in.required("from")) link.from = read_end(*from);
    if (const auto to = in.required("to")) link.to = read_end(*to);
    return link;
  }

  static std::string ends_text(const LinkFault& link) {
    return fmt::format("{} {} {}", link.from, link.both_ways ? "<->" : "->", link.to);
  }

  void read_partition(Fault& out, Reader at) {
    LinkFault link = read_ends(at);
    link.cut = true;
    if (!at.value().is_list()) at.finish();
    out.written = "partition " + ends_text(link);
    out.links.push_back(std::move(link));
  }

  void read_latency(Fault& out, Reader at) {
    LinkFault link = read_ends(at);
    if (!at.value().is_object()) {
      at.fail("must have between (or from and to) and add");
      return;
    }
    if (const auto add = read_optional_duration(at, "add")) link.latency = *add;
    if (const auto jitter = read_optional_duration(at, "jitter")) link.jitter = *jitter;
    if (!at.has("add") && !at.has("jitter")) at.fail("must have add or jitter");
    at.finish();
    out.written = fmt::format("latency {} +{}", ends_text(link), duration_text(link.latency));
    out.links.push_back(std::move(link));
  }

  void read_rate(Fault& out, Reader at, const std::string& key) {
    LinkFault link = read_ends(at);
    if (!at.value().is_object()) {
      at.fail("must have between (or from and to) and rate");
      return;
    }
    const bool loss = key == "loss";
    if (const auto rate = at.required("rate")) {
      const std::string text = rate->value().is_string() ? rate->value().string() : "";
      if (loss) {
        link.loss_per_million = parse_percentage(text);
        if (!link.loss_per_million) rate->fail("must be a percentage such as 0.1%");
      } else {
        link.bits_per_second = parse_bandwidth(text);
        if (!link.bits_per_second) rate->fail("must be a bandwidth such as 10Mbps");
      }
      out.written = fmt::format("{} {} {}", key, ends_text(link), text);
    }
    at.finish();
    out.links.push_back(std::move(link));
  }

  void read_name(Fault& out, Reader at) {
    out.kind = Kind::Name;
    if (!at.expect_object()) return;
    out.name = at.required_string("name", {1, 255});
    const auto which = at.one_of({"fail", "answer"});
    if (which == 0U && !at.optional_bool("fail").value_or(false)) {
      at.fail("fail", "must be true");
    } else if (which == 1U) {
      out.answer.emplace();
      for (const Reader& item : at.optional_items("answer")) out.answer->push_back(read_end(item));
    }
    at.finish();
    out.written = "dns " + out.name + (out.answer ? " answers otherwise" : " fails");
  }

  void read_clock(Fault& out, Reader at) {
    out.kind = Kind::Clock;
    if (!at.expect_object()) return;
    if (const auto host = at.required("host")) out.target = read_end(*host);
    if (const auto step = at.required("step"))
      out.clock_step = read_duration(*step).value_or(out.clock_step);
    at.finish();
    out.written = fmt::format("clock of {} +{}", out.target, duration_text(out.clock_step));
  }

  void read_target(Fault& out, const Reader& at, const std::string& key) {
    if (key == "blackhole") {
      out.kind = Kind::Blackhole;
      out.target = read_end(at);
      out.written = "blackhole " + out.target;
      return;
    }
    const auto text = at.as_string({1});
    if (!text) return;
    const auto entity = entity_of(*text);
    const bool endpoint =
        entity && (entity->first == EntityKind::Service || entity->first == EntityKind::Endpoint);
    const bool gateway = entity && entity->first == EntityKind::Gateway;
    if (!endpoint && !(gateway && key == "crash")) {
      at.fail(key == "crash" ? "must be an endpoint/, a service/ or a gateway/"
                             : "must be an endpoint/ or a service/");
      return;
    }
    if (!names_.has(entity->first, entity->second)) {
      at.fail(names_.unknown(entity->first, entity->second));
      return;
    }
    out.kind = key == "refuse"  ? Kind::Refuse
               : key == "reset" ? Kind::Reset
               : key == "close" ? Kind::Close
                                : Kind::Crash;
    out.target = entity->second;
    if (const auto* node = gateway ? nullptr : node_of(entity->first, entity->second);
        node != nullptr && entity->first == EntityKind::Service) {
      out.target = node->name;
    }
    out.written = key + " " + *text;
  }

  const WorldSetup& world_;
  const mesh::Mesh& mesh_;
  const Names& names_;
  const std::shared_ptr<const Protos>& protos_;
};

}  // namespace

std::optional<Fault> read_fault(Reader& step, const WorldSetup& world, const mesh::Mesh& mesh,
                                const Names& names, const std::shared_ptr<const Protos>& protos) {
  const auto at = step.optional("fault");
  const auto lasts = step.optional("for");
  if (!at) {
    if (lasts) lasts->fail("goes with a fault");
    return std::nullopt;
  }
  Fault fault = FaultReader(world, mesh, names, protos).read(*at);
  if (!lasts) return fault;
  fault.lasts = read_duration(*lasts);
  const bool instant = fault.kind == Kind::Reset || fault.kind == Kind::Close ||
                       fault.kind == Kind::Clock || fault.kind == Kind::Instance;
  if (instant) lasts->fail("does not go with what happens at an instant");
  return fault;
}

std::optional<Until> read_until(Reader& step, const Names& names) {
  const auto at = step.optional("until");
  const auto within = step.optional("within");
  if (!at) {
    if (within) within->fail("goes with until");
    return std::nullopt;
  }
  Until until;
  until.place = at->place();
  until.written = written_text(at->value());
  Reader in = *at;
  if (in.expect_object()) {
    if (in.value().object().empty()) in.fail("must not be empty");
    for (const auto& [member, value] : in.members()) {
      const auto entity = entity_of(member->key);
      if (!entity) {
        in.fail_key(member->key, "must be a thing of the world, such as endpoint/books-1");
      } else if (!names.has(entity->first, entity->second)) {
        in.fail_key(member->key, names.unknown(entity->first, entity->second));
      } else {
        Expectation expected;
        read_counts(expected, value, entity->first, entity->second, names);
        if (!expected.turns.empty()) {
          value.fail("turns is for expect; until waits for what is so: " + member->key + ": " +
                     std::string(expected.turns.front().word()));
        }
        if (!expected.balancers.empty()) value.fail("targets and zones cannot be waited for yet");
        until.counts.insert(until.counts.end(), expected.counts.begin(), expected.counts.end());
      }
    }
  }
  if (within) {
    const DurationExpectation range = read_within(*within);
    until.earliest = range.min;
    until.latest = range.max;
  }
  return until;
}

}  // namespace conformance
