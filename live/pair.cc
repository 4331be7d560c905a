#include "live/pair.h"

#include <algorithm>
#include <utility>

namespace live {

using world::TransportError;

/// What a user holds. Destroying it closes.
class Pair::Handle final : public world::Transport {
 public:
  Handle(Ptr pair, Side side) : pair_(std::move(pair)), side_(side) {}
  ~Handle() override { pair_->close(end()); }

  void write(std::string_view bytes) override { pair_->write(end(), bytes); }
  void finish() override { pair_->finish(end()); }
  void close() override { pair_->close(end()); }
  void reset() override { pair_->reset(end()); }
  void pause_reading() override { end().paused = true; }
  void resume_reading() override { pair_->resume(end()); }
  std::size_t unsent() const override { return end().unsent.size(); }
  world::Endpoint local() const override { return end().local; }
  world::Endpoint remote() const override { return pair_->other(end()).local; }
  std::uint64_t flow() const override { return pair_->flow_; }
  void set_events(world::TransportEvents& events) override { end().events = &events; }

 private:
  End& end() const { return pair_->ends_[side_]; }

  Ptr pair_;
  Side side_;
};

Pair::End::End(Pair& of, Side which, const world::Endpoint& at)
    : Task([](Task& task) {
        auto& end = static_cast<End&>(task);
        end.pair.happen(end);
      }),
      pair(of),
      side(which),
      local(at) {}

Pair::Pair(Runtime& runtime, const world::Endpoint& local, const world::Endpoint& remote)
    : runtime_(runtime),
      flow_(runtime.next_flow()),
      ends_{End(*this, kClient, local), End(*this, kServer, remote)} {}

std::unique_ptr<world::Transport> Pair::connect(Runtime& runtime,
                                                const std::shared_ptr<PairPorts>& ports,
                                                const world::Endpoint& local,
                                                const world::Endpoint& remote,
                                                world::TransportEvents& events) {
  const Ptr pair(new Pair(runtime, local, remote));
  pair->ends_[kClient].events = &events;
  pair->ends_[kServer].accepted = false;
  runtime.loop().post([pair, ports] { pair->open(*ports); });
  return std::make_unique<Handle>(pair, kClient);
}

/// The handshake: whoever listens now has it, or nobody.
void Pair::open(PairPorts& ports) {
  constexpr std::size_t kBacklog = 4096;
  End& client = ends_[kClient];
  const auto found = ports.find(ends_[kServer].local.port);
  if (found == ports.end() || found->second->backlog_.size() >= kBacklog) {
    ends_[kServer].closed = true;
    break_later(client, TransportError::Refused);
    return;
  }
  PairListener& listener = *found->second;
  if (!client.closed) {
    client.connected_due = true;
    schedule(client);
  }
  listener.backlog_.emplace_back(this);
  if (listener.accepting_) runtime_.loop().schedule_at(listener, runtime_.loop().now());
}

void Pair::hand_over(world::AcceptEvents& events) {
  End& server = ends_[kServer];
  server.accepted = true;
  events.on_accept(std::make_unique<Handle>(Ptr(this), kServer));
  schedule(server);
}

void Pair::schedule(End& end) {
  if (!end.accepted || end.closed) return;
  runtime_.loop().schedule_at(end, runtime_.loop().now());
}

// --- What users do -------------------------------------------------------------------------

void Pair::write(End& from, std::string_view bytes) {
  End& to = other(from);
  if (from.closed || from.finishing || from.error_due) return;
  if (to.closed) {
    break_later(from, TransportError::Reset);
    return;
  }
  if (from.unsent.empty() && to.inbox.size() < kWindowBytes) {
    const std::size_t room = std::min(bytes.size(), kWindowBytes - to.inbox.size());
    if (to.inbox.empty() && to.inbox.capacity() < room) to.inbox = runtime_.take_spare();
    to.inbox.append(bytes.substr(0, room));
    bytes.remove_prefix(room);
    schedule(to);
  }
  if (!bytes.empty()) from.unsent.append(bytes);
}

void Pair::finish(End& from) {
  if (from.closed || std::exchange(from.finishing, true)) return;
  if (from.unsent.empty()) fill_window(from);
}

void Pair::close(End& end) {
  if (std::exchange(end.closed, true)) return;
  end.events = nullptr;
  end.cancel();
  End& peer = other(end);
  if (!end.inbox.empty() || !peer.unsent.empty()) {  // unread bytes make it a reset
    end.inbox.clear();
    end.unsent.clear();
    break_later(peer, TransportError::Reset);
    return;
  }
  if (!std::exchange(end.finishing, true) && end.unsent.empty()) fill_window(end);
}

void Pair::reset(End& end) {
  if (std::exchange(end.closed, true)) return;
  end.events = nullptr;
  end.cancel();
  std::string().swap(end.inbox);
  end.unsent.clear();
  break_later(other(end), TransportError::Reset);
}

void Pair::resume(End& end) {
  if (std::exchange(end.paused, false)) schedule(end);
}

// --- What happens --------------------------------------------------------------------------

void Pair::break_later(End& end, TransportError error) {
  if (end.closed || end.error_due) return;
  end.error_due = true;
  end.error = error;
  end.unsent.clear();
  schedule(end);
}

/// Moves what waits at `from` to the other end as far as its window allows, then the FIN.
void Pair::fill_window(End& from) {
  End& to = other(from);
  if (to.closed) return;
  if (!from.unsent.empty()) {
    const std::size_t room = kWindowBytes - to.inbox.size();
    const std::string_view bytes = from.unsent.view().substr(0, room);
    to.inbox.append(bytes);
    from.unsent.take(bytes.size());
    if (!from.unsent.empty()) return;
    if (!from.closed) {
      from.drained_due = true;
      schedule(from);
    }
  }
  if (from.finishing) {
    to.end_due = true;
    schedule(to);
  }
}

/// Tells the user one thing; what else there is to tell is an event of its own.
void Pair::happen(End& end) {
  const Ptr self(this);
  if (end.closed) return;
  const auto fail = [&] {
    end.closed = true;
    std::string().swap(end.inbox);
    std::exchange(end.events, nullptr)->on_error(make_error_code(end.error));
  };
  if (end.error_due && (end.paused || end.inbox.empty())) {
    fail();
    return;
  }
  if (end.connected_due || end.drained_due) {
    const bool connected = std::exchange(end.connected_due, false);
    if (!connected) end.drained_due = false;
    schedule(end);
    connected ? end.events->on_connected() : end.events->on_drained();
    return;
  }
  if (end.paused) return;
  if (!end.inbox.empty()) {
    std::string bytes = std::exchange(end.inbox, {});
    End& peer = other(end);
    if (!peer.unsent.empty()) fill_window(peer);
    if (!end.inbox.empty() || end.end_due || end.error_due) schedule(end);
    end.events->on_data(bytes);
    runtime_.give_spare(std::move(bytes));
    return;
  }
  if (std::exchange(end.end_due, false)) end.events->on_end();
}

// --- PairListener --------------------------------------------------------------------------

PairListener::PairListener(Runtime& runtime, std::shared_ptr<PairPorts> ports,
                           const world::Endpoint& local, world::AcceptEvents& events)
    : Task([](Task& task) { static_cast<PairListener&>(task).happen(); }),
      runtime_(runtime),
      ports_(std::move(ports)),
      local_(local),
      events_(events) {
  ports_->emplace(local_.port, this);
}

PairListener::~PairListener() {
  *gone_ = true;
  ports_->erase(local_.port);
  for (const Pair::Ptr& pair : backlog_) {
    pair->ends_[Pair::kServer].closed = true;
    pair->break_later(pair->ends_[Pair::kClient], TransportError::Reset);
  }
}

void PairListener::set_accepting(bool accepting) {
  accepting_ = accepting;
  if (accepting && !backlog_.empty()) runtime_.loop().schedule_at(*this, runtime_.loop().now());
}

void PairListener::happen() {
  const std::shared_ptr<const bool> gone = gone_;
  while (!*gone && accepting_ && !backlog_.empty()) {
    const Pair::Ptr pair = std::move(backlog_.front());
    backlog_.pop_front();
    pair->hand_over(events_);
  }
}

}  // namespace live
