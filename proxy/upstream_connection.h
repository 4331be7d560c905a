#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "proxy/upstream.h"
#include "proxy/upstream_host.h"
#include "wire/tls/transport.h"
#include "world/timer.h"

namespace proxy {

/// A connection to an endpoint, as its pool sees it: made, given requests, lost.
class UpstreamConnection : protected world::TransportEvents {
 public:
  ~UpstreamConnection() override;

 protected:
  UpstreamConnection(Upstream& upstream, UpstreamHost& host);

  /// How many more requests it can take at this moment.
  virtual std::size_t room() const = 0;
  /// Whether it carries no request.
  virtual bool idle() const = 0;
  /// Takes a request. Requires: room() > 0.
  virtual UpstreamStream& open(UpstreamRequest& request) = 0;
  /// The request is not wanted any more.
  virtual void cancel(UpstreamRequest& request) = 0;
  /// The request wants nothing more of its response, which ends with the bytes at hand.
  virtual void leave(UpstreamRequest& request) = 0;
  /// The endpoint is not one of the cluster's any more: ends as soon as nothing is under way.
  virtual void retire() = 0;
  /// The endpoint sends nothing more, by FIN or by reset.
  virtual void ended() = 0;

  Upstream& upstream() { return upstream_; }
  Cork& cork() { return upstream_.cork_; }
  std::string& out() { return cork().to(*transport_); }
  std::size_t unsent_bytes() const {
    return transport_->unsent() + upstream_.cork_.held(*transport_);
  }
  world::Timer timer(world::Action action) { return upstream_.world_.timer(action); }
  void offer() { upstream_.offer(*this); }
  void offer_soon() { upstream_.offer_soon(*this); }
  void make_ready() { upstream_.make_ready(*this); }
  PoolCounts& counts() { return upstream_.counts_; }
  /// It has carried as many requests as it may: no more come after those that it has.
  bool used_up() const { return used_up_; }
  void detach(UpstreamRequest& request, bool interim) {
    request.interim_ = interim;
    upstream_.detach(request);
  }
  /// Takes no more requests, although it goes on with those that it has.
  void withdraw();
  void close();
  bool gone() const { return gone_; }

  std::unique_ptr<world::Transport> transport_;

 private:
  friend class Upstream;

  void on_connected() final;
  void on_end() final;
  void on_error(std::error_code error) final;
  void count_request();
  /// Counts the time without a request from now on, unless it does so already.
  void await_idle_end();
  void on_timer();
  void on_connect_timeout();
  void connect_failed(ResetReason reason, std::string_view transport);

  std::unique_ptr<world::Transport> open_transport();

  Upstream& upstream_;
  UpstreamHost& host_;
  wire::tls::TlsTransport* secure_ = nullptr;  // the transport, where it is one
  const UpstreamHost::Address& address_;
  world::Timer timer_;  // of the attempt to connect, later of the time without a request
  world::TimePoint idle_since_{};
  std::uint32_t served_ = 0;
  std::size_t index_ = 0;  // among the host's connections
  bool connecting_ = true;
  bool awaits_idle_end_ = false;
  UpstreamConnection* next_ready_ = nullptr;
  UpstreamConnection* previous_ready_ = nullptr;
  bool ready_ = false;  // stands in the host's list
  bool gone_ = false;
  bool used_up_ = false;
  bool peer_ended_ = false;
};

}  // namespace proxy
