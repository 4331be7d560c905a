#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "proxy/upstream.h"
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
  void on_connect_timeout();
  void connect_failed(ResetReason reason, std::string_view transport);

  Upstream& upstream_;
  UpstreamHost& host_;
  world::Timer connect_timer_;
  std::size_t index_ = 0;  // among the host's connections
  bool connecting_ = true;
  bool ready_ = false;  // stands in the host's list
  bool gone_ = false;
};

}  // namespace proxy
