#include "proxy/tls_acceptor.h"

#include <utility>

#include "proxy/tls_side.h"

namespace proxy {
namespace {

constexpr std::size_t kRecordHead = 5;
constexpr std::size_t kHelloHead = kRecordHead + 4;  // and of the message in it
constexpr unsigned char kHandshake = 22;
constexpr std::size_t kMostRecordBytes = 16 * 1024;

/// What the first bytes are taken for, as the real proxy's inspector words it; empty: they begin
/// TLS. Requires: there are enough.
std::string_view no_tls(std::string_view bytes) {
  const auto at = [bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  for (const std::string_view method : {"GET ", "POST ", "HEAD ", "PUT "}) {
    if (bytes.substr(0, method.size()) == method.substr(0, bytes.size())) {
      return "TLS_error|error:1000009c:SSL_routines:OPENSSL_internal:HTTP_REQUEST:TLS_error_end";
    }
  }
  if (bytes.starts_with("CONNE")) {
    return "TLS_error|error:1000009b:SSL_routines:OPENSSL_internal:HTTPS_PROXY_REQUEST:"
           "TLS_error_end";
  }
  if (at(1) != 3) {
    return "TLS_error|error:100000f7:SSL_routines:OPENSSL_internal:WRONG_VERSION_NUMBER:"
           "TLS_error_end";
  }
  if ((std::size_t{at(3)} << 8 | at(4)) > kMostRecordBytes) {
    return "TLS_error|error:10000096:SSL_routines:OPENSSL_internal:EXCESSIVE_MESSAGE_SIZE:"
           "TLS_error_end";
  }
  if (at(0) == kHandshake && bytes.size() >= kHelloHead &&
      (std::size_t{at(6)} << 16 | std::size_t{at(7)} << 8 | at(8)) > kMostRecordBytes) {
    return "TLS_error|error:10000096:SSL_routines:OPENSSL_internal:EXCESSIVE_MESSAGE_SIZE:"
           "TLS_error_end";
  }
  if (at(0) != kHandshake) {
    return "TLS_error|error:100000e1:SSL_routines:OPENSSL_internal:UNEXPECTED_RECORD:"
           "TLS_error_end";
  }
  return {};
}

}  // namespace

TlsAcceptor::TlsAcceptor(Hop& hop, std::unique_ptr<world::Transport> transport, OriginPtr origin)
    : Downstream(hop, std::move(transport)) {
  origin_ = std::move(origin);
}

void TlsAcceptor::begin(std::string_view bytes) {
  if (hop_.plan().tls_mode == HopPlan::TlsMode::Permissive) {
    start_timer(hop_.plan().timers.tls_inspector);
    if (!bytes.empty()) inspect(bytes);
  } else {
    shake(bytes);
  }
}

void TlsAcceptor::on_data(std::string_view bytes) {
  const Cork::Event event(hop_.cork());
  inspect(bytes);
}

void TlsAcceptor::inspect(std::string_view bytes) {
  bytes_ += bytes;
  if (bytes_.size() < kRecordHead) return;
  const bool hello = bytes_[0] == kHandshake && bytes_[1] == 3;
  if (hello && bytes_.size() < kHelloHead) return;
  const std::string_view problem = no_tls(bytes_);
  const std::string first = std::move(bytes_);
  if (problem.empty()) {
    stop_timer();
    shake(first);
    return;
  }
  ensure(origin_).failure = problem;
  hop_.speak_http(give_up_transport(), std::move(origin_), first);
}

void TlsAcceptor::shake(std::string_view bytes) {
  auto context = hop_.tls()->context();
  if (context == nullptr) {
    ensure(origin_).failure = kSecretMissing;
    close_now();
    return;
  }
  auto secure = std::make_unique<wire::tls::TlsTransport>(
      hop_.world(), std::move(context), std::move(transport_), &hop_.tls()->sessions());
  secure_ = secure.get();
  transport_ = std::move(secure);
  transport_->set_events(*this);
  secure_->begin(bytes);
}

void TlsAcceptor::on_connected() {
  const Cork::Event event(hop_.cork());
  hop_.tls()->note_secured(*secure_);
  Origin& origin = ensure(origin_);
  origin.tls = secure_->agreed();
  const bool http2 = origin.tls->alpn == "h2";
  if (http2) {
    hop_.speak_http2(give_up_transport(), std::move(origin_), {});
  } else {
    hop_.speak_http(give_up_transport(), std::move(origin_), {});
  }
}

void TlsAcceptor::on_end() {
  const Cork::Event event(hop_.cork());
  close_now();
}

void TlsAcceptor::on_error(std::error_code error) {
  const Cork::Event event(hop_.cork());
  if (secure_ != nullptr && secure_->failure() != nullptr) {
    hop_.tls()->note_failure(*secure_->failure());
    ensure(origin_).failure = transport_failure_text(*secure_->failure(), error);
  }
  close_now();
}

void TlsAcceptor::on_timer() {
  close_now();
}

}  // namespace proxy
