#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "conformance/recorded/action_upstream.h"
#include "world/world.h"

namespace conformance::recorded {

/// One connection of a script's upstream: says what it is told to, and notes what comes.
class ActionConnection : public world::TransportEvents {
 public:
  ActionConnection(ActionUpstream& owner, std::size_t number,
                   std::unique_ptr<world::Transport> transport)
      : owner_(owner), number_(number), transport_(std::move(transport)) {
    transport_->set_events(*this);
  }

  std::size_t number() const { return number_; }
  std::string name() const { return "c" + std::to_string(number_); }
  /// Begins to speak.
  virtual void open() {}
  /// A whole answer. `headers` is a list of pairs.
  virtual void answer(const UpstreamRequestSeen& request, int status, const std::string& body,
                      const nlohmann::json& headers) = 0;
  /// One of a probe's answers that belong to the protocol. False: there is no such word.
  virtual bool answer_word(const UpstreamRequestSeen& request, const std::string& word) = 0;
  /// Bytes as they are; the request is then answered.
  void send(std::string_view bytes) {
    if (!over_ && !dead_) transport_->write(bytes);
  }
  /// Ends it from this side.
  virtual void end(bool reset) {
    if (std::exchange(over_, true)) return;
    if (reset) {
      transport_->reset();
    } else {
      transport_->close();
    }
  }

 protected:
  void on_connected() override {  // over TLS alone
    ActionUpstream::Secured& secured = owner_.secured_[number_ - 1];
    secured.agreed = secured.transport->agreed();
    secured.server_name = secured.agreed->server_name;
  }
  void on_end() override { peer_ended("fin"); }
  void on_error(std::error_code) override {
    dead_ = true;
    if (!tls_failed()) peer_ended("rst");
  }
  /// Whether the end is one of TLS. It is then noted.
  bool tls_failed() {
    if (number_ > owner_.secured_.size()) return false;
    ActionUpstream::Secured& secured = owner_.secured_[number_ - 1];
    const wire::tls::Failure* const failure = secured.transport->failure();
    if (failure == nullptr || failure->reason.empty()) return false;
    over_ = true;
    secured.failed = true;
    secured.alert = failure->alert_received;
    if (secured.transport->begun()) secured.server_name = secured.transport->server_name();
    note({"up_tls_fail", name(), failure->reason});
    return true;
  }

  virtual void peer_ended(const char* how) {
    if (over_) return;
    over_ = true;
    if (*how == 'f') transport_->close();
    note({"up_close", name(), how});
  }
  void note(nlohmann::json words) { owner_.events_.add(std::move(words)); }
  void arrived(UpstreamRequestSeen request) {
    request.connection = this;
    owner_.take(std::move(request));
  }

  ActionUpstream& owner_;
  std::size_t number_;
  std::unique_ptr<world::Transport> transport_;
  bool over_ = false;  // nobody says anything more on it
  bool dead_ = false;  // the peer reset it
};

std::unique_ptr<ActionConnection> action_http1(ActionUpstream& owner, std::size_t number,
                                               std::unique_ptr<world::Transport> transport);
std::unique_ptr<ActionConnection> action_http2(ActionUpstream& owner, std::size_t number,
                                               std::unique_ptr<world::Transport> transport);
/// Plays `on_connect`. Requires: the upstream's script has one.
std::unique_ptr<ActionConnection> action_raw(ActionUpstream& owner, std::size_t number,
                                             std::unique_ptr<world::Transport> transport);
std::unique_ptr<ActionConnection> action_tcp(ActionUpstream& owner, std::size_t number,
                                             std::unique_ptr<world::Transport> transport);

}  // namespace conformance::recorded
