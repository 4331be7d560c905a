#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/hop.h"
#include "proxy/match.h"
#include "proxy/responder.h"
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
  void begin(Responder& downstream, std::unique_ptr<wire::RequestHead> head, bool complete);
  /// `ends`: the sender said with these bytes that they are the last.
  void on_body(std::string_view bytes, bool ends);
  void on_request_complete() { on_body({}, true); }
  void on_request_trailers(const wire::HeaderMap& trailers);
  /// The client has gone: no answer is wanted.
  void on_client_gone();
  /// The client wants no answer any more, before or after the head; its connection goes on.
  /// `protocol`: because it broke a rule. Without `details` nothing was wrong.
  void on_client_reset(Responder& downstream, bool protocol, std::string_view details);
  /// The request turned out not to be HTTP, before or after its head.
  void on_codec_error(Responder& downstream, const wire::CodecError& error);
  /// The gateway itself gives up the connection.
  void on_cut_off(std::string_view details);
  void on_head_timeout(Responder& downstream, HeadTimeout timeout);
  /// The client has gone with a part of a head sent.
  void on_client_gone_early(Responder& downstream);
  /// The answer's unsent bytes have gone.
  void on_downstream_drained();

  /// Makes it as new, for the next request.
  void reset();

 private:
  // The request's way in.
  void begin_without_head(Responder& downstream);
  bool prepare_headers();
  void add_forwarded_for();
  void choose_route(bool routable);
  void rewrite();
  void send_upstream();
  void keep_body(std::string_view bytes, bool sent);
  void request_ended();
  void start_response_timers();
  void start_try_timer();
  void set_expected_timeout();

  // What the upstream does.
  void on_upstream_ready(UpstreamStream& stream) override;
  void on_upstream_reset(ResetReason reason, std::string_view transport) override;
  void on_response_head(wire::ResponseHead& head) override;
  void on_response_body(std::string_view bytes, bool ends) override;
  void on_response_trailers(wire::HeaderMap& trailers) override;
  void on_response_complete() override;
  void on_upstream_drained() override;

  // Retries.
  bool retry_on_status(const wire::ResponseHead& head);
  bool retry_on_reset(ResetReason reason);
  bool no_retry();
  bool schedule_retry();
  void retry();

  void report_answer(const wire::ResponseHead& head);
  void report_no_answer(std::uint16_t status);

  // The answer.
  void write_response_head(wire::ResponseHead& head, bool ends);
  void finish_response();
  void send_answer_head(bool ends);
  void local_reply(std::uint16_t status, std::string_view body, std::string_view details,
                   bool overloaded = false);
  void cut_off();  ///< The answer has begun and cannot be ended properly.
  void end(bool reset);
  void trace_end();
  void read_grpc_status(const wire::HeaderMap& headers);
  void write_log();

  void on_route_timeout();
  void on_try_timeout();
  void on_idle();
  void on_old();
  void touch() { active_at_ = hop_.world().now(); }
  void set_flag(ResponseFlag flag) { flags_ |= static_cast<std::uint16_t>(flag); }
  bool is_grpc() const {
    return head_ != nullptr &&
           is_grpc_content_type(head_->headers.get(wire::HeaderName::ContentType));
  }
  Duration route_timeout() const;

  Hop& hop_;
  Responder* downstream_ = nullptr;
  std::unique_ptr<wire::RequestHead> head_;
  std::unique_ptr<wire::ResponseHead> response_;
  std::string authority_;
  std::string original_path_;
  std::string details_;
  std::string transport_failure_;
  std::string body_;  // what a retry would send again
  std::unique_ptr<wire::HeaderMap> trailers_;
  const Route* route_ = nullptr;
  Upstream* upstream_ = nullptr;
  std::vector<UpstreamHost*> tried_;
  world::Timer route_timer_;
  world::Timer try_timer_;
  world::Timer idle_timer_;
  world::Timer retry_timer_;
  std::optional<world::Timer> age_timer_;
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
  int grpc_status_ = LogEntry::kNoGrpcStatus;
  world::Endpoint upstream_local_{};
  UpstreamHost* host_ = nullptr;
  bool keep_body_ = false;   // it may be needed again
  bool body_begun_ = false;  // there is one, be it empty
  bool request_complete_ = false;
  bool response_begun_ = false;
  bool response_complete_ = false;
  bool answer_ended_ = false;  // its last byte has been written
  bool head_request_ = false;
  bool grpc_request_ = false;
  bool upgrade_ = false;
  bool tunnel_ = false;
  bool counted_retry_ = false;
  bool upstream_paused_ = false;
  bool ended_ = false;
};

}  // namespace proxy
