#include "conformance/faults.h"

#include <algorithm>
#include <limits>

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
    case Kind::Blackhole:
      end_later(fault, begin_links(fault));
      break;
    case Kind::Behaviour:
      begin_behaviour(fault);
      break;
    case Kind::Refuse:
      for (peers::Service* service : targets_.services(fault.of, fault.target)) service->stop();
      end_later(fault, [this, &fault] {
        for (peers::Service* service : targets_.services(fault.of, fault.target)) {
          static_cast<void>(service->start());
        }
      });
      break;
    case Kind::Reset:
    case Kind::Close:
      for (peers::Service* service : targets_.services(fault.of, fault.target)) {
        service->drop_connections(fault.kind == Kind::Reset);
      }
      break;
    case Kind::Crash:
      targets_.crash(fault.of, fault.target);
      end_later(fault, [this, &fault, restore = begin_links(fault)] {
        restore();
        targets_.restart(fault.of, fault.target);
      });
      break;
    case Kind::Name:
      begin_name(fault);
      break;
    case Kind::Instance:
      for (const FaultAction& action : fault.instances) targets_.apply(action);
      break;
    case Kind::Clock:
      for (world::World* host : targets_.hosts(fault.target)) {
        setting_.step_calendar(*host, fault.clock_step);
      }
      break;
  }
}

/// Partitions and slow links; a host that is gone, or in a hole, has none at all.
std::function<void()> Faults::begin_links(const Fault& fault) {
  std::vector<std::function<void()>> ends;
  for (const LinkFault& link : fault.links) {
    ends.push_back(add(link, targets_.hosts(link.from), targets_.hosts(link.to)));
  }
  if (fault.kind != Kind::Link) {
    LinkFault cut;
    cut.cut = true;
    ends.push_back(add(cut, targets_.hosts(fault.target), targets_.all_hosts()));
  }
  return [ends = std::move(ends)] {
    for (const auto& end : ends) end();
  };
}

std::function<void()> Faults::add(const LinkFault& link, std::vector<world::World*> from,
                                  std::vector<world::World*> to) {
  struck_.push_back({link, std::move(from), std::move(to)});
  const auto place = std::prev(struck_.end());
  update_all(*place);
  return [this, place] {
    const Struck over = std::move(*place);
    struck_.erase(place);
    update_all(over);
  };
}

void Faults::links_were_set() {
  for (const Struck& struck : struck_) update_all(struck);
}

void Faults::update_all(const Struck& struck) {
  for (world::World* one : struck.from) {
    for (world::World* other : struck.to) {
      if (one == other) continue;
      update(*one, *other);
      if (struck.fault.both_ways) update(*other, *one);
    }
  }
}

/// A link is what it was, with all that has befallen it since.
void Faults::update(world::World& from, world::World& to) {
  const auto [known, added] = links_.try_emplace({from.id(), to.id()});
  if (added) known->second = setting_.link(from, to);
  sim::LinkOptions now = known->second;
  const auto has = [](const std::vector<world::World*>& hosts, const world::World& host) {
    return std::find(hosts.begin(), hosts.end(), &host) != hosts.end();
  };
  for (const Struck& struck : struck_) {
    const bool forth = has(struck.from, from) && has(struck.to, to);
    const bool back = struck.fault.both_ways && has(struck.from, to) && has(struck.to, from);
    if (!forth && !back) continue;
    const LinkFault& fault = struck.fault;
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

void Faults::begin_behaviour(const Fault& fault) {
  std::vector<std::pair<peers::Service*, peers::Behaviour>> before;
  for (peers::Service* service : targets_.services(fault.of, fault.target)) {
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
