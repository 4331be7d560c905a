#include "conformance/faults.h"

#include <algorithm>

namespace conformance {

using Kind = Fault::Kind;

void Faults::trace(const Fault& fault, const char* what) {
  setting_.trace().record({setting_.now(), world::TraceKind::Note, 0, 0, 0, 0,
                           std::string(what) + ": " + fault.written});
}

void Faults::end_later(const Fault& fault, End end) {
  if (!fault.lasts && !fault.ends_at) return;
  const world::TimePoint when =
      fault.lasts ? setting_.now() + *fault.lasts : setting_.at(*fault.ends_at);
  setting_.loop().post_at(when, [this, &fault, end = std::move(end)] {
    trace(fault, "fault ends");
    end();
  });
}

void Faults::begin(const Fault& fault) {
  trace(fault, "fault");
  switch (fault.kind) {
    case Kind::Reset:
    case Kind::Close:
    case Kind::HalfOpen:
      strike_connections(fault);
      break;
    case Kind::Restart:
      hosts_.restart(fault.target);
      break;
    case Kind::Instance:
      for (const FaultAction& action : fault.instances) hosts_.apply(action);
      break;
    case Kind::Clock:
      for (world::World* host : targets_.hosts(fault.target)) {
        setting_.step_calendar(*host, fault.clock_step);
      }
      break;
    default:
      end_later(fault, begin_lasting(fault));
      break;
  }
}

Faults::End Faults::begin_lasting(const Fault& fault) {
  switch (fault.kind) {
    case Kind::Link:
      return begin_links(fault);
    case Kind::Behaviour:
      return begin_behaviour(fault);
    case Kind::Name:
      return begin_name(fault);
    default:
      return hosts_.begin(fault);
  }
}

// --- Connections -----------------------------------------------------------------------------

void Faults::strike_connections(const Fault& fault) {
  for (const LinkFault& link : fault.links) break_connections(link, fault.kind == Kind::HalfOpen);
  if (!fault.links.empty()) return;
  for (peers::Service* service : targets_.services(fault.target)) {
    service->drop_connections(fault.kind == Kind::Reset);
  }
}

/// Half-open: `from` gives its ends up. An empty `to` stands for everyone.
void Faults::break_connections(const LinkFault& link, bool half_open) {
  for (world::World* from : targets_.hosts(link.from)) {
    if (link.to.empty()) setting_.abandon_connections(*from, nullptr);
    for (world::World* to : targets_.hosts(link.to)) {
      if (half_open) {
        setting_.abandon_connections(*from, to);
      } else {
        setting_.reset_connections(*from, *to);
      }
    }
  }
}

// --- Links -----------------------------------------------------------------------------------

Faults::End Faults::begin_links(const Fault& fault) {
  std::vector<End> ends;
  for (const LinkFault& link : fault.links) ends.push_back(add(link));
  return [ends = std::move(ends)] {
    for (const auto& end : ends) end();
  };
}

Faults::End Faults::add(const LinkFault& link) {
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
  hosts_.update_all();
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

// --- Services --------------------------------------------------------------------------------

Faults::Answering& Faults::answering(peers::Service& service) {
  const auto known = std::find_if(answering_.begin(), answering_.end(),
                                  [&](const Answering& each) { return each.service == &service; });
  if (known != answering_.end()) return *known;
  return answering_.emplace_back(Answering{&service, service.script()});
}

/// It answers as the youngest faults have it. Its script begins anew only where it has changed.
void Faults::update(Answering& answering) {
  const Fault* respond = nullptr;
  const Fault* health = nullptr;
  for (const Fault* fault : answering.faults) {
    if (fault->respond) respond = fault;
    if (fault->health) health = fault;
  }
  if (respond == answering.respond && health == answering.health) return;
  answering.respond = respond;
  answering.health = health;
  if (respond == nullptr && health == nullptr) {
    answering.service->set_script(answering.without);
    return;
  }
  peers::Behaviour behaviour = answering.without->behaviour;
  if (respond != nullptr) behaviour.answers = *respond->respond;
  if (health != nullptr) behaviour.checks = *health->health;
  answering.service->set_behaviour(std::move(behaviour));
}

Faults::End Faults::begin_behaviour(const Fault& fault) {
  std::vector<Answering*> struck;
  for (peers::Service* service : targets_.services(fault.target)) {
    struck.push_back(&answering(*service));
    struck.back()->faults.push_back(&fault);
    update(*struck.back());
  }
  return [&fault, struck = std::move(struck)] {
    for (Answering* each : struck) {
      auto& faults = each->faults;
      faults.erase(std::find(faults.begin(), faults.end(), &fault));
      update(*each);
    }
  };
}

// --- Names -----------------------------------------------------------------------------------

/// The oldest answer that is stale hides all changes; a server that fails has none.
void Faults::update_name(const std::string& name) {
  const Naming* stale = nullptr;
  const Naming* answer = nullptr;
  bool fails = false;
  for (const Naming& each : names_) {
    if (each.fault->name != name) continue;
    if (each.fault->stale && stale == nullptr) stale = &each;
    if (each.fault->answer) answer = &each;
    fails = fails || each.fault->fails;
  }
  setting_.unmask_name(name);
  const Naming* const shown = stale != nullptr ? stale : answer;
  if (shown == nullptr && !fails) return;
  Setting::Name now = shown != nullptr ? shown->shown : setting_.name(name);
  if (fails) {
    if (!now) now.emplace();
    now->failing = true;
  }
  setting_.mask_name(name, now);
}

Faults::End Faults::begin_name(const Fault& fault) {
  Naming naming{&fault, setting_.name(fault.name)};
  if (naming.shown) naming.shown->failing = false;
  if (fault.answer) {
    if (!naming.shown) naming.shown.emplace();
    naming.shown->addresses.clear();
    for (const std::string& host : *fault.answer) {
      for (const world::World* one : targets_.hosts(host)) {
        naming.shown->addresses.push_back(setting_.address_of(*one));
      }
    }
  }
  const auto place = names_.insert(names_.end(), std::move(naming));
  update_name(fault.name);
  return [this, place] {
    const std::string name = place->fault->name;
    names_.erase(place);
    update_name(name);
  };
}

}  // namespace conformance
