#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/downstream.h"
#include "proxy/hop.h"
#include "proxy/match.h"
#include "proxy/upstream.h"

namespace proxy {

/// One request at one hop, from its head to the last byte of its answer: checks, route, rewrite,
/// upstream, timeouts, retries, access-log line.
///
/// Source: ENV-HTTP-40 to -68, -80 to -82.
class Stream final : private UpstreamRequest {
 public:
  explicit Stream(Hop& hop);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// A head was read. `complete`: no body follows.
  void begin(Downstream& downstream, std::unique_ptr<wire::http1::RequestHead> head, bool complete);
  void on_body(std::string_view bytes);
  void on_request_complete();
  /// The client has gone: no answer is wanted.
  void on_client_gone();
  /// The request turned out not to be HTTP, before or after its head.
  void on_codec_error(Downstream& downstream, const wire::http1::CodecError& error);
  void on_headers_timeout(Downstream& downstream);
  /// The client has gone with a part of a head sent.
  void on_client_gone_early(Downstream& downstream);
  /// The answer's unsent bytes have gone.
  void on_downstream_drained();

  /// Makes it as new, for the next request.
  void reset();

 private:
  // The request's way in.
  void begin_without_head(Downstream& downstream);
  bool prepare_headers();
  void choose_route(bool routable);
  void rewrite();
  void send_upstream();
  void write_request_head(UpstreamConnection& connection);
  void write_request_body(UpstreamConnection& connection, std::string_view bytes);
  void finish_request(UpstreamConnection& connection);
  void start_response_timers();
  void start_try_timer();
  void set_expected_timeout();

  // What the upstream does.
  void on_upstream_ready(UpstreamConnection& connection) override;
  void on_upstream_reset(ResetReason reason, std::string_view transport) override;
  void on_response_head(wire::http1::ResponseHead& head) override;
  void on_response_body(std::string_view bytes) override;
  void on_response_complete() override;
  void on_upstream_drained() override;

  // Retries.
  bool retry_on_status(const wire::http1::ResponseHead& head);
  bool retry_on_reset(ResetReason reason);
  bool schedule_retry();
  void retry();

  // The answer.
  void write_response_head(wire::http1::ResponseHead& head, bool ends);
  void write_response_body(std::string_view bytes);
  void finish_response();
  void local_reply(std::uint16_t status, std::string_view body, std::string_view details,
                   bool overloaded = false);
  void cut_off();  ///< The answer has begun and cannot be ended properly.
  void end(bool reset);
  void trace_end();
  void write_log();

  void on_route_timeout();
  void on_try_timeout();
  void on_idle();
  void touch() { active_at_ = hop_.world().now(); }
  void set_flag(ResponseFlag flag) { flags_ |= static_cast<std::uint16_t>(flag); }
  bool is_grpc() const {
    return head_ != nullptr &&
           is_grpc_content_type(head_->headers.get(wire::HeaderName::ContentType));
  }
  Duration route_timeout() const;

  Hop& hop_;
  Downstream* downstream_ = nullptr;
  std::unique_ptr<wire::http1::RequestHead> head_;
  std::unique_ptr<wire::http1::ResponseHead> response_;
  std::string authority_;
  std::string original_path_;
  std::string details_;
  std::string transport_failure_;
  std::string body_;  // what a retry would send again
  std::string reply_body_;
  const Route* route_ = nullptr;
  Upstream* upstream_ = nullptr;
  std::vector<UpstreamHost*> tried_;
  world::Timer route_timer_;
  world::Timer try_timer_;
  world::Timer idle_timer_;
  world::Timer retry_timer_;
  world::TimePoint started_{};
  world::TimePoint completed_{};  // when the request had been read
  world::TimePoint active_at_{};
  Duration idle_after_{};
  std::uint64_t received_ = 0;
  std::uint64_t answered_ = 0;
  std::uint32_t attempts_ = 0;
  std::uint32_t retries_ = 0;
  std::uint16_t flags_ = 0;
  std::uint16_t status_ = 0;
  int grpc_status_ = -1;
  world::Endpoint upstream_local_{};
  UpstreamHost* host_ = nullptr;
  bool keep_body_ = false;  // it may be needed again
  bool request_complete_ = false;
  bool response_begun_ = false;
  bool response_complete_ = false;
  bool chunked_request_ = false;
  bool chunked_response_ = false;
  bool head_request_ = false;
  bool grpc_request_ = false;
  bool upgrade_ = false;
  bool tunnel_ = false;
  bool counted_retry_ = false;
  bool upstream_paused_ = false;
  bool ended_ = false;
};

}  // namespace proxy
