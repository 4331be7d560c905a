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

/// By how much a partition that only slows what passes does so, if that is not said.
constexpr Duration kSlowedBy = std::chrono::seconds(1);

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
    const auto* const known = std::find_if(kFaults.begin(), kFaults.end(),
                                           [&](const Known& each) { return each.word == key; });
    if (known == kFaults.end()) {
      refuse_unknown(at, key);
    } else {
      (this->*known->read)(out, *at.optional(key), key);
    }
    return out;
  }

 private:
  /// A word that a fault may begin with, beside service/, endpoint/ and gateway/.
  struct Known {
    std::string_view word;
    void (FaultReader::*read)(Fault& out, Reader at, const std::string& key);
  };
  static const std::array<Known, 16> kFaults;

  static void refuse_unknown(Reader& at, const std::string& key) {
    std::vector<std::string> words;
    for (const Known& known : kFaults) words.emplace_back(known.word);
    const std::string near = document::nearest(key, words);
    at.fail_key(key, near.empty() ? fmt::format("is no fault; there is {}", fmt::join(words, ", "))
                                  : fmt::format("is no fault; did you mean {}?", near));
  }

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

  void read_partition(Fault& out, Reader at, const std::string&) {
    LinkFault link = read_ends(at);
    link.cut = true;
    if (at.value().is_object()) {
      if (const auto kind = at.optional("kind")) {
        link.cut = kind->as_choice({"stopped", "slowed"}) != 1U;
      }
      const auto by = read_optional_duration(at, "by");
      if (by && link.cut) at.fail_key("by", "goes with kind: slowed");
      if (!link.cut) link.latency = by.value_or(kSlowedBy);
      at.finish();
    }
    out.written = (link.cut ? "partition " : "slow partition ") + ends_text(link);
    out.links.push_back(std::move(link));
  }

  void read_latency(Fault& out, Reader at, const std::string&) {
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

  void read_name(Fault& out, Reader at, const std::string&) {
    out.kind = Kind::Name;
    if (!at.expect_object()) return;
    if (const auto name = at.required("name")) {
      out.name = plain_name(name->as_string({1, 255}).value_or(""));
      out.name_place = name->place();
    }
    const auto which = at.one_of({"fail", "answer", "stale"});
    if (which == 1U) {
      out.answer.emplace();
      for (const Reader& item : at.optional_items("answer")) out.answer->push_back(read_end(item));
    } else if (which) {
      const std::string_view word = which == 0U ? "fail" : "stale";
      if (!at.optional_bool(word).value_or(false)) at.fail(word, "must be true");
      out.fails = which == 0U;
      out.stale = which == 2U;
    }
    at.finish();
    const char* const what = out.answer  ? " answers otherwise"
                             : out.stale ? " answers as it did"
                                         : " fails";
    out.written = "dns " + out.name + what;
  }

  void read_clock(Fault& out, Reader at, const std::string&) {
    out.kind = Kind::Clock;
    if (!at.expect_object()) return;
    if (const auto host = at.required("host")) out.target = read_end(*host);
    if (const auto step = at.required("step")) out.clock_step = read_clock_step(*step);
    at.finish();
    const bool back = out.clock_step < Duration::zero();
    out.written = fmt::format("clock of {} {}{}", out.target, back ? "-" : "+",
                              duration_text(back ? -out.clock_step : out.clock_step));
  }

  /// A duration that may go backwards.
  static Duration read_clock_step(const Reader& at) {
    const std::string text = at.value().is_string() ? at.value().string() : "";
    const bool back = !text.empty() && text.front() == '-';
    if (!back) return read_duration(at).value_or(Duration::zero());
    const auto step = parse_duration(std::string_view(text).substr(1));
    if (!step) at.fail("must be a duration such as 1h or -1h");
    return -step.value_or(Duration::zero());
  }

  void read_blackhole(Fault& out, Reader at, const std::string&) {
    out.kind = Kind::Blackhole;
    out.target = read_end(at);
    out.written = "blackhole " + out.target;
  }

  /// `{ host: HOST, with: OTHER }`: the host has given up its end, the other does not know.
  void read_half_open(Fault& out, Reader at, const std::string&) {
    out.kind = Kind::HalfOpen;
    if (!at.expect_object()) return;
    LinkFault link;
    if (const auto host = at.required("host")) link.from = read_end(*host);
    if (const auto with = at.optional("with")) link.to = read_end(*with);
    at.finish();
    out.written = fmt::format("halfOpen {} with {}", link.from, link.to.empty() ? "all" : link.to);
    out.links.push_back(std::move(link));
  }

  void read_slow(Fault& out, Reader at, const std::string& key) {
    out.kind = Kind::Slow;
    if (!at.expect_object()) return;
    if (const auto host = at.required("host")) {
      out.target = read_process(*host, {EntityKind::Client, EntityKind::Gateway,
                                        EntityKind::Service, EntityKind::Endpoint});
    }
    if (const auto rate = at.required("rate")) {
      const std::string text = rate->value().is_string() ? rate->value().string() : "";
      const auto bits = parse_bandwidth(text);
      if (!bits || *bits == 0) rate->fail("must be a bandwidth such as 8kbps");
      (key == "slowReader" ? out.reading : out.writing) = bits.value_or(0);
      out.written = fmt::format("{} {} {}", key, out.target, text);
    }
    at.finish();
  }

  void read_reset(Fault& out, Reader at, const std::string& key) {
    if (!at.value().is_list() && !at.value().is_object()) {
      read_service_fault(out, at, key);
      return;
    }
    out.kind = Kind::Reset;
    LinkFault link = read_ends(at);
    if (at.value().is_object()) {
      if (!link.both_ways) at.fail("a reset is of both ends: between, not from and to");
      at.finish();
    }
    link.both_ways = true;
    out.written = "reset " + ends_text(link);
    out.links.push_back(std::move(link));
  }

  void read_service_fault(Fault& out, Reader at, const std::string& key) {
    out.kind = key == "refuse" ? Kind::Refuse : key == "reset" ? Kind::Reset : Kind::Close;
    out.target = read_process(at, {EntityKind::Service, EntityKind::Endpoint});
    out.written = written(at, key);
  }

  void read_process_fault(Fault& out, Reader at, const std::string& key) {
    out.kind = key == "crash" ? Kind::Crash : key == "restart" ? Kind::Restart : Kind::Pause;
    out.target = read_process(at, {EntityKind::Endpoint, EntityKind::Service, EntityKind::Gateway});
    out.written = written(at, key);
  }

  static std::string written(const Reader& at, const std::string& key) {
    return key + " " + (at.value().is_string() ? at.value().string() : "");
  }

  /// "endpoint/books-1": something on which a process runs, and that may be struck so.
  std::string read_process(const Reader& at, const std::vector<EntityKind>& kinds) const {
    const auto text = at.as_string({1});
    if (!text) return {};
    const auto entity = entity_of(*text);
    if (entity && entity->first == EntityKind::Balancer) {
      at.fail("a balancer passes packets on and has no process: strike the links to it");
      return {};
    }
    if (!entity || std::find(kinds.begin(), kinds.end(), entity->first) == kinds.end()) {
      std::vector<std::string> words;
      for (const EntityKind kind : kinds) words.push_back(fmt::format("{}/", word_of(kind)));
      const std::string last = words.back();
      words.pop_back();
      at.fail(fmt::format("must be {} or {}", fmt::join(words, ", "), last));
      return {};
    }
    if (!names_.has(entity->first, entity->second)) {
      at.fail(names_.unknown(entity->first, entity->second));
      return {};
    }
    const mesh::VirtualNode* const node =
        entity->first == EntityKind::Service ? node_of(entity->first, entity->second) : nullptr;
    return node != nullptr ? node->name : entity->second;
  }

  const WorldSetup& world_;
  const mesh::Mesh& mesh_;
  const Names& names_;
  const std::shared_ptr<const Protos>& protos_;
};

const std::array<FaultReader::Known, 16> FaultReader::kFaults = {{
    {"partition", &FaultReader::read_partition},
    {"latency", &FaultReader::read_latency},
    {"loss", &FaultReader::read_rate},
    {"bandwidth", &FaultReader::read_rate},
    {"blackhole", &FaultReader::read_blackhole},
    {"refuse", &FaultReader::read_service_fault},
    {"reset", &FaultReader::read_reset},
    {"close", &FaultReader::read_service_fault},
    {"halfOpen", &FaultReader::read_half_open},
    {"slowReader", &FaultReader::read_slow},
    {"slowWriter", &FaultReader::read_slow},
    {"crash", &FaultReader::read_process_fault},
    {"restart", &FaultReader::read_process_fault},
    {"pause", &FaultReader::read_process_fault},
    {"dns", &FaultReader::read_name},
    {"clock", &FaultReader::read_clock},
}};

/// Whether it is over as soon as it has begun.
bool is_instant(Kind kind) {
  return kind == Kind::Reset || kind == Kind::Close || kind == Kind::HalfOpen ||
         kind == Kind::Restart || kind == Kind::Clock || kind == Kind::Instance;
}

/// `until: 90s` is when a fault ends, `until: { ... }` what is waited for.
bool is_end(const Reader& step) {
  const document::Value* const until = step.value().find("until");
  return step.value().find("fault") != nullptr && until != nullptr && !until->is_object();
}

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
  const auto ends = is_end(step) ? step.optional("until") : std::nullopt;
  for (auto end : {lasts, ends}) {
    if (end && is_instant(fault.kind)) end->fail("does not go with what happens at an instant");
  }
  if (lasts) fault.lasts = read_duration(*lasts);
  if (!ends) return fault;
  if (lasts) step.fail_key("until", "must not be given beside for");
  fault.ends_at = read_duration(*ends);
  fault.ends_place = ends->place();
  return fault;
}

std::optional<Until> read_until(Reader& step, const Names& names) {
  const auto at = is_end(step) ? std::nullopt : step.optional("until");
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
