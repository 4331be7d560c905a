#include "tests/property/health_model.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace property {
namespace {

using Kind = ProbeAnswer::Kind;

enum class Result { Success, DefiniteFailure, RetriableFailure, NetworkFailure };

class Teller {
 public:
  explicit Teller(const HealthScript& script)
      : script_(script), setting_(script.setting), hosts_(setting_.hosts) {
    for (std::uint32_t h = 0; h < setting_.hosts; ++h) hosts_[h].answers = script.answers(h);
  }

  HealthStory tell() {
    for (std::uint32_t h = 0; h < setting_.hosts; ++h) at(0, Event::Kind::Probe, h);
    for (const std::int64_t time : script_.requests()) at(time, Event::Kind::Request, 0);
    while (!events_.empty()) {
      const auto first = events_.begin();
      now_ = std::get<0>(first->first);
      if (now_ > script_.length) break;
      const Event event = first->second;
      events_.erase(first);
      happen(event);
      note();
    }
    std::sort(probes_.begin(), probes_.end());
    for (const auto& [time, host, fresh] : probes_) {
      story_.probes.push_back(fmt::format("{} h{} {}", time, host, fresh ? "new" : "again"));
    }
    return story_;
  }

 private:
  struct Host {
    std::vector<ProbeAnswer> answers;
    std::size_t next_answer = 0;
    bool connected = false;
    Result coming = Result::Success;
    // ENV-HC-06
    bool healthy = false;
    bool first = true;
    std::uint32_t ok = 0;
    std::uint32_t bad = 0;
    bool delivered = false;  // what traffic sees
  };
  struct Event {
    enum class Kind { Probe, End, Window, Request };
    Kind kind;
    std::uint32_t host;
  };

  void at(std::int64_t time, Event::Kind kind, std::uint32_t host) {
    events_.emplace(std::tuple(time, sequence_++), Event{kind, host});
  }

  void happen(const Event& event) {
    switch (event.kind) {
      case Event::Kind::Probe:
        probe(event.host);
        break;
      case Event::Kind::End:
        end(event.host);
        break;
      case Event::Kind::Window:
        if (event.host != window_) break;  // it was cancelled
        window_running_ = false;
        touch();
        deliver();
        break;
      case Event::Kind::Request:
        request();
        break;
    }
  }

  /// Begins a probe, and knows at once how it will end. Source: ENV-HC-03, -04, -11.
  void probe(std::uint32_t h) {
    Host& host = hosts_[h];
    const ProbeAnswer answer = host.answers[host.next_answer++ % host.answers.size()];
    const std::int64_t latency = latency_of(h);
    ++attempts_;
    const bool fresh = !host.connected;
    probes_.emplace_back(now_, h, fresh);
    std::int64_t takes = setting_.timeout + 1;  // too long
    bool stays = false;                         // the connection, if the answer comes in time
    host.coming = Result::NetworkFailure;
    const bool tcp = setting_.kind == CheckKind::Tcp;
    if (answer.kind == Kind::Refuse && fresh) {
      takes = 2 * latency;
    } else if (tcp) {
      if (answer.kind != Kind::Silence) {
        takes = 2 * latency;
        host.coming = Result::Success;
      }
    } else {
      const std::int64_t answered = (fresh ? 4 : 2) * latency + answer.delay;
      switch (answer.kind) {
        case Kind::Status:
        case Kind::StatusAndEnd:
          takes = answered;
          stays = answer.kind == Kind::Status;
          host.coming = by_status(answer.status);
          break;
        case Kind::NotServing:
        case Kind::GrpcError:
        case Kind::NoMessage:
          takes = answered;
          stays = true;
          host.coming = Result::DefiniteFailure;
          break;
        case Kind::Garbage:
        case Kind::Fin:
        case Kind::Reset:
        case Kind::Refuse:
          takes = answered;
          break;
        case Kind::ResetStream:
          takes = answered;
          stays = true;
          break;
        default:
          break;
      }
    }
    if (takes > setting_.timeout) {
      takes = setting_.timeout;
      host.coming = Result::NetworkFailure;
      stays = setting_.kind == CheckKind::Grpc;
    }
    host.connected = stays && setting_.reuse_connection;
    at(now_ + takes, Event::Kind::End, h);
  }

  /// Source: ENV-HC-07, -10.
  Result by_status(std::uint16_t status) const {
    if (setting_.kind == CheckKind::Grpc) {
      return status == 200 ? Result::Success : Result::DefiniteFailure;
    }
    if (status == 200 || (setting_.wide_statuses && status >= 200 && status < 400)) {
      return Result::Success;
    }
    return setting_.retriable_503 && status == 503 ? Result::RetriableFailure
                                                   : Result::DefiniteFailure;
  }

  void end(std::uint32_t h) {
    Host& host = hosts_[h];
    const bool before = host.healthy;
    const bool first = host.first;
    const bool near = take(host, host.coming);
    std::int64_t interval = 0;
    if (!carried_) {
      interval = setting_.no_traffic_interval;
    } else if (host.coming == Result::Success) {
      interval =
          near ? setting_.healthy_edge_interval.value_or(setting_.interval) : setting_.interval;
    } else {
      const std::int64_t unhealthy = setting_.unhealthy_interval.value_or(setting_.interval);
      interval = near ? setting_.unhealthy_edge_interval.value_or(unhealthy) : unhealthy;
    }
    at(now_ + interval, Event::Kind::Probe, h);
    if (first) {
      // No change in the sense of what follows.
      host.delivered = host.healthy;
      ++picture_;
      ready_at_ = now_;
      return;
    }
    // What comes before everybody's first result is not written of.
    if (std::any_of(hosts_.begin(), hosts_.end(), [](const Host& other) { return other.first; })) {
      story_.ambiguous = true;
    }
    if (before != host.healthy) changed();
  }

  /// The threshold machine of ENV-HC-06. Whether a change has come nearer.
  bool take(Host& host, Result result) {
    const bool first = std::exchange(host.first, false);
    if (result == Result::Success) {
      ++successes_;
      host.bad = 0;
      if (host.healthy) return false;
      ++host.ok;
      if (!first && host.ok != setting_.healthy_threshold) return true;
      host.healthy = true;
      host.ok = 0;
      return false;
    }
    ++failures_;
    if (result == Result::NetworkFailure) ++network_failures_;
    host.ok = 0;
    if (!host.healthy) return false;
    if (result != Result::DefiniteFailure) {
      ++host.bad;
      if (host.bad != setting_.unhealthy_threshold) return true;
    }
    host.healthy = false;
    host.bad = 0;
    return false;
  }

  // --- What traffic sees: ENV-HC-19 ------------------------------------------------------------

  void changed() {
    touch();
    if (setting_.merge_window == 0) {
      deliver();
    } else if (last_ < 0 || now_ - last_ > setting_.merge_window) {
      deliver();
      window_running_ = false;
      ++window_;
    } else if (!window_running_) {
      window_running_ = true;
      at(now_ + setting_.merge_window, Event::Kind::Window, window_);
    }
  }

  void deliver() {
    last_ = now_;
    for (Host& host : hosts_) host.delivered = host.healthy;
    ++picture_;
  }

  /// Changes of several endpoints at one time have no order.
  void touch() {
    if (now_ == touched_) story_.ambiguous = true;
    touched_ = now_;
  }

  /// Source: ENV-HC-05, -14, -15.
  void request() {
    if (ready_at_ < 0 ||
        std::any_of(hosts_.begin(), hosts_.end(), [](const Host& other) { return other.first; })) {
      story_.ambiguous = true;
      return;
    }
    HealthStory::Pick pick{now_, {}, picture_};
    for (std::uint32_t h = 0; h < setting_.hosts; ++h) {
      if (hosts_[h].delivered) pick.hosts.push_back(h);
    }
    if (pick.hosts.size() * 100 < setting_.hosts * std::size_t{setting_.panic_percent}) {
      ++panics_;
      pick.hosts.clear();
      for (std::uint32_t h = 0; h < setting_.hosts; ++h) pick.hosts.push_back(h);
    }
    if (!pick.hosts.empty()) carried_ = true;
    story_.picks.push_back(std::move(pick));
  }

  void note() {
    HealthSeen seen;
    for (std::size_t h = 0; h < hosts_.size(); ++h) {
      seen.healthy[h] = hosts_[h].healthy;
      seen.used[h] = hosts_[h].delivered;
    }
    seen.counts = {attempts_, successes_, failures_, network_failures_, panics_};
    if (!story_.moments.empty() && story_.moments.back().at == now_) {
      story_.moments.back().seen = seen;
    } else {
      story_.moments.push_back({now_, seen});
    }
  }

  const HealthScript& script_;
  const HealthSetting& setting_;
  std::vector<Host> hosts_;
  std::map<std::tuple<std::int64_t, std::uint64_t>, Event> events_;
  std::uint64_t sequence_ = 0;
  std::int64_t now_ = 0;
  std::int64_t ready_at_ = -1;
  std::int64_t last_ = -1;
  std::int64_t touched_ = -1;
  bool window_running_ = false;
  std::uint32_t window_ = 0;  // the number of the one that may run
  bool carried_ = false;
  std::uint64_t picture_ = 0;
  std::uint64_t attempts_ = 0;
  std::uint64_t successes_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t network_failures_ = 0;
  std::uint64_t panics_ = 0;
  std::vector<std::tuple<std::int64_t, std::uint32_t, bool>> probes_;
  HealthStory story_;
};

}  // namespace

HealthStory tell_health(const HealthScript& script) {
  return Teller(script).tell();
}

}  // namespace property
