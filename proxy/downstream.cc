#include "proxy/downstream.h"

namespace proxy {

Downstream::Downstream(Hop& hop, std::unique_ptr<world::Transport> transport)
    : hop_(hop),
      transport_(std::move(transport)),
      timer_(hop.world().loop(), hop.world().id(), world::bind<&Downstream::on_time>(this)) {
  transport_->set_events(*this);
}

Downstream::~Downstream() = default;

void Downstream::start_timer(Duration after) {
  if (after > Duration::zero()) {
    timer_.start_after(after);
  } else {
    timer_.stop();
  }
}

void Downstream::limit_age() {
  const Duration most = hop_.plan().timers.max_connection;
  if (most == Duration::zero()) return;
  world::World& world = hop_.world();
  age_timer_ = std::make_unique<world::Timer>(world.loop(), world.id(),
                                              world::bind<&Downstream::on_age>(this));
  age_timer_->start_after(most);
}

void Downstream::on_age() {
  const Cork::Event event(hop_.cork());
  if (phase_ == Phase::Open) on_old();
}

void Downstream::on_time() {
  const Cork::Event event(hop_.cork());
  if (phase_ == Phase::Open) {
    on_timer();
  } else {
    close_now();
  }
}

void Downstream::close_later() {
  if (phase_ != Phase::Open) return;
  phase_ = Phase::Closing;
  const Duration delay = hop_.plan().timers.delayed_close;
  if (delay > Duration::zero()) {
    timer_.start_after(delay);
  } else {
    close_now();
  }
}

void Downstream::close_now() {
  if (phase_ == Phase::Gone) return;
  phase_ = Phase::Gone;
  timer_.stop();
  age_timer_.reset();
  hop_.cork().flush();
  hop_.log_connection(*this);
  // A socket that is closed with unread bytes in it resets the connection.
  if (unread_) {
    transport_->reset();
  } else {
    transport_->close();
  }
  hop_.lose(*this);
}

std::unique_ptr<world::Transport> Downstream::give_up_transport() {
  phase_ = Phase::Gone;
  timer_.stop();
  age_timer_.reset();
  hop_.lose(*this);
  return std::move(transport_);
}

}  // namespace proxy
