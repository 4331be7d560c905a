#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string_view>

#include "proxy/upstream_connection.h"
#include "wire/http2/session.h"

namespace proxy {

/// One HTTP/2 connection to an endpoint: carries as many requests at a time as the endpoint takes.
///
/// Source: ENV-HTTP-46, -110, -113, ENV-POOL-22 to -28.
class Http2Upstream final : public UpstreamConnection, private wire::http2::SessionEvents {
 public:
  /// Requests at a time, until the endpoint says that it takes fewer.
  static constexpr std::size_t kMostStreams = 1024;

  Http2Upstream(Upstream& upstream, UpstreamHost& host);
  ~Http2Upstream() override;

 private:
  class Exchange;

  std::size_t room() const override;
  bool idle() const override { return exchanges_.empty(); }
  UpstreamStream& open(UpstreamRequest& request) override;
  void cancel(UpstreamRequest& request) override;
  void leave(UpstreamRequest& request) override;
  void retire() override;
  void ended() override { fail_all(ResetReason::ConnectionTermination); }

  void on_data(std::string_view bytes) override;
  void on_drained() override;

  wire::http2::Stream& on_stream() override;
  void on_output() override;
  bool takes_output() const override;
  void on_goaway(std::int32_t last_stream, wire::http2::ErrorCode code) override;
  void on_max_streams(std::uint32_t streams) override;

  /// What the request was given. Requires: it is one of this connection's.
  static Exchange& exchange_of(UpstreamRequest& request);
  /// Ends the connection and tells all its requests.
  void fail_all(ResetReason reason);
  void count_reset(ResetReason reason);
  void bury();
  /// Forgets an exchange; it is destroyed after the present event.
  void remove(Exchange& exchange);
  void close_if_done();

  wire::http2::Session session_;
  std::list<std::unique_ptr<Exchange>> exchanges_;
  std::list<std::unique_ptr<Exchange>> graveyard_;
  world::Timer burial_;        // an endpoint that says nothing is not waited for
  bool leaving_ = false;       // takes no new requests
  bool stream_ended_ = false;  // in the present event: who waits may come
};

}  // namespace proxy
