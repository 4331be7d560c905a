#include "conformance/faults.h"

#include <algorithm>

namespace conformance {

using Kind = Fault::Kind;

void Faults::trace(const Fault& fault, const char* what) {
  setting_.trace().record({setting_.now(), world::TraceKind::Note, 0, 0, 0, 0,
                           std::string(what) + ": " + fault.written});
}

void Faults::end_later(const Fault& fault, std::function<void()> end) {
  if (!fault.lasts) return;
  setting_.loop().post_at(setting_.now() + *fault.lasts, [this, &fault, end = std::move(end)] {
    trace(fault, "fault ends");
    end();
  });
}

void Faults::begin(const Fault& fault) {
  trace(fault, "fault");
  switch (fault.kind) {
    case Kind::Link:
      end_later(fault, begin_links(fault));
      break;
    case Kind::Blackhole:
      end_later(fault, cut_off(fault.target));
      break;
    case Kind::Behaviour:
      begin_behaviour(fault);
      break;
    case Kind::Refuse:
      for (peers::Service* service : targets_.services(fault.target)) service->stop();
      end_later(fault, [this, &fault] {
        for (peers::Service* service : targets_.services(fault.target)) {
          static_cast<void>(service->start());
        }
      });
      break;
    case Kind::Reset:
    case Kind::Close:
      for (peers::Service* service : targets_.services(fault.target)) {
        service->drop_connections(fault.kind == Kind::Reset);
      }
      break;
    case Kind::Crash:
      targets_.crash(fault.target);
      end_later(fault, [this, &fault, restore = cut_off(fault.target)] {
        restore();
        targets_.restart(fault.target);
      });
      break;
    case Kind::Name:
      begin_name(fault);
      break;
    case Kind::Instance:
      begin_instances(fault);
      break;
    case Kind::Clock:
      for (world::World* host : targets_.hosts(fault.target)) {
        setting_.step_calendar(*host, fault.clock_step);
      }
      break;
  }
}

std::function<void()> Faults::begin_links(const Fault& fault) {
  std::vector<std::function<void()>> ends;
  for (const LinkFault& link : fault.links) ends.push_back(add(link));
  return [ends = std::move(ends)] {
    for (const auto& end : ends) end();
  };
}

std::function<void()> Faults::add(const LinkFault& link) {
  const auto place = struck_.insert(struck_.end(), link);
  update_all(*place);
  return [this, place] {
    const LinkFault over = std::move(*place);
    struck_.erase(place);
    update_all(over);
  };
}

void Faults::links_were_set() {
  for (const LinkFault& struck : struck_) update_all(struck);
  for (const std::string& name : cut_off_) update_cuts(name);
}

void Faults::update_all(const LinkFault& struck) {
  for (world::World* one : targets_.hosts(struck.from)) {
    for (world::World* other : targets_.hosts(struck.to)) {
      if (one == other) continue;
      update(*one, *other);
      if (struck.both_ways) update(*other, *one);
    }
  }
}

/// A link is what it was, with all that has befallen it since.
void Faults::update(world::World& from, world::World& to) {
  const auto [known, added] = links_.try_emplace({from.id(), to.id()});
  if (added) known->second = setting_.link(from, to);
  sim::LinkOptions now = known->second;
  for (const LinkFault& fault : struck_) {
    const bool forth = means(fault.from, from) && means(fault.to, to);
    const bool back = fault.both_ways && means(fault.from, to) && means(fault.to, from);
    if (!forth && !back) continue;
    now.blackhole = now.blackhole || fault.cut;
    now.latency += fault.latency;
    now.jitter += fault.jitter;
    if (fault.loss_per_million) {
      now.loss_per_million = std::max(now.loss_per_million, *fault.loss_per_million);
    }
    if (fault.bits_per_second) {
      now.bits_per_second = now.bits_per_second == 0
                                ? *fault.bits_per_second
                                : std::min(now.bits_per_second, *fault.bits_per_second);
    }
  }
  setting_.set_link(from, to, now);
}

bool Faults::means(const std::string& name, const world::World& host) {
  const std::vector<world::World*> hosts = targets_.hosts(name);
  return std::find(hosts.begin(), hosts.end(), &host) != hosts.end();
}

std::function<void()> Faults::cut_off(const std::string& name) {
  const auto place = cut_off_.insert(cut_off_.end(), name);
  update_cuts(name);
  return [this, place] {
    const std::string over = std::move(*place);
    cut_off_.erase(place);
    update_cuts(over);
  };
}

/// A host is cut off for as long as anything wants it to be.
void Faults::update_cuts(const std::string& name) {
  for (world::World* host : targets_.hosts(name)) {
    const bool struck = std::any_of(cut_off_.begin(), cut_off_.end(),
                                    [&](const auto& other) { return means(other, *host); });
    setting_.set_cut_off(*host, struck || unreachable_.count(host->id()) != 0);
  }
}

void Faults::begin_instances(const Fault& fault) {
  for (const FaultAction& action : fault.instances) {
    const bool unreachable = action.kind == FaultAction::Kind::Unreachable;
    if (!unreachable && action.kind != FaultAction::Kind::Reachable) {
      targets_.apply(action);
      continue;
    }
    for (const world::World* host : targets_.hosts(action.gateway)) {
      if (unreachable)
        unreachable_.insert(host->id());
      else
        unreachable_.erase(host->id());
    }
    update_cuts(action.gateway);
  }
}

void Faults::begin_behaviour(const Fault& fault) {
  std::vector<std::pair<peers::Service*, peers::Behaviour>> before;
  for (peers::Service* service : targets_.services(fault.target)) {
    peers::Behaviour behaviour = service->behaviour();
    if (fault.respond) behaviour.answers = *fault.respond;
    if (fault.health) behaviour.checks = *fault.health;
    before.emplace_back(service, service->behaviour());
    service->set_behaviour(std::move(behaviour));
  }
  end_later(fault, [before = std::move(before)] {
    for (const auto& [service, behaviour] : before) service->set_behaviour(behaviour);
  });
}

void Faults::begin_name(const Fault& fault) {
  const Setting::Name before = setting_.name(fault.name);
  sim::Names::Record now = before.value_or(sim::Names::Record{});
  now.failing = !fault.answer;
  if (fault.answer) {
    now.addresses.clear();
    for (const std::string& host : *fault.answer) {
      for (const world::World* one : targets_.hosts(host)) {
        now.addresses.push_back(setting_.address_of(*one));
      }
    }
  }
  setting_.set_name(fault.name, now);
  end_later(fault, [this, &fault, before] { setting_.set_name(fault.name, before); });
}

}  // namespace conformance
