#pragma once

#include <memory>
#include <string_view>

#include "proxy/gathered_body.h"
#include "proxy/upstream_connection.h"
#include "wire/http1/response_parser.h"

namespace proxy {

/// One HTTP/1.1 connection to an endpoint: carries one request at a time.
///
/// Source: ENV-HTTP-40, -47, -54, -55, -79.
class Http1Upstream final : public UpstreamConnection,
                            private UpstreamStream,
                            private wire::http1::ResponseParser::Events {
 public:
  Http1Upstream(Upstream& upstream, UpstreamHost& host) : UpstreamConnection(upstream, host) {}
  ~Http1Upstream() override;

 private:
  std::size_t room() const override { return request_ == nullptr && !gone() && !used_up() ? 1 : 0; }
  bool idle() const override { return request_ == nullptr; }
  UpstreamStream& open(UpstreamRequest& request) override;
  void cancel(UpstreamRequest& request) override;
  void leave(UpstreamRequest& request) override;
  void retire() override { close(); }
  void ended() override;

  void on_data(std::string_view bytes) override;
  void on_drained() override;

  void on_head(wire::ResponseHead& head) override;
  void on_body(std::string_view bytes) override;
  void on_last_chunk() override { hand_over_body(); }
  void on_complete() override;

  world::Transport& transport() override { return *transport_; }
  std::uint64_t flow() override { return transport_->flow(); }
  void send_head(wire::RequestHead& head, const RequestFacts& facts) override;
  void send_body(std::string_view bytes, bool ends) override;
  void send_trailers(const wire::HeaderMap&) override { send_body({}, true); }
  std::size_t unsent() const override { return unsent_bytes(); }
  void pause() override { transport_->pause_reading(); }
  void resume() override { transport_->resume_reading(); }
  void become_tunnel() override { tunnel_ = true; }
  bool saw_interim() const override { return parser_.saw_interim(); }
  std::unique_ptr<wire::ResponseHead> take_head() override { return parser_.take_head(); }
  void lend(std::unique_ptr<wire::ResponseHead> head) override { parser_.lend(std::move(head)); }

  void hand_over_body();
  /// Parts from the request, which is told of what comes next.
  UpstreamRequest* release();
  /// Ends the connection and tells its request.
  void fail(ResetReason reason);

  wire::http1::ResponseParser parser_;
  UpstreamRequest* request_ = nullptr;
  GatheredBody body_;          // of the present read
  bool request_sent_ = false;  // entirely; only then can the connection be used again
  bool chunked_request_ = false;
  bool complete_ = false;  // the response has ended within the bytes being read
  bool tunnel_ = false;
};

}  // namespace proxy
