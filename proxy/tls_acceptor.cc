#include "proxy/tls_acceptor.h"

#include <utility>

#include <fmt/format.h>

#include "proxy/tls_side.h"

namespace proxy {
namespace {

constexpr std::size_t kRecordHead = 5;
constexpr std::size_t kHelloHead = kRecordHead + 4;  // and of the message in it
constexpr unsigned char kHandshake = 22;
constexpr std::size_t kMostRecordBytes = 16 * 1024;

/// In the words of the real proxy's inspector.
std::string words_of(const char* number, const char* reason) {
  return fmt::format("TLS_error|error:{}:SSL_routines:OPENSSL_internal:{}:TLS_error_end", number,
                     reason);
}

/// Why the first bytes begin no TLS; empty: they do. Requires: there are enough.
std::string no_tls(std::string_view bytes) {
  const auto at = [bytes](std::size_t i) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]));
  };
  for (const std::string_view method : {"GET ", "POST ", "HEAD ", "PUT "}) {
    if (bytes.substr(0, method.size()) == method) return words_of("1000009c", "HTTP_REQUEST");
  }
  if (bytes.starts_with("CONNE")) return words_of("1000009b", "HTTPS_PROXY_REQUEST");
  if (at(1) != 3) return words_of("100000f7", "WRONG_VERSION_NUMBER");
  const bool handshake = at(0) == kHandshake;
  const bool whole = handshake && bytes.size() >= kHelloHead;
  if ((at(3) << 8 | at(4)) > kMostRecordBytes ||
      (whole && (at(6) << 16 | at(7) << 8 | at(8)) > kMostRecordBytes)) {
    return words_of("10000096", "EXCESSIVE_MESSAGE_SIZE");
  }
  return handshake ? "" : words_of("100000e1", "UNEXPECTED_RECORD");
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
  std::string problem = no_tls(bytes_);
  const std::string first = std::move(bytes_);
  if (problem.empty()) {
    stop_timer();
    shake(first);
    return;
  }
  ensure(origin_).failure = std::move(problem);
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
