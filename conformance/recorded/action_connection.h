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
  void on_end() override { peer_ended("fin"); }
  void on_error(std::error_code) override {
    dead_ = true;
    peer_ended("rst");
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
std::unique_ptr<ActionConnection> action_tcp(ActionUpstream& owner, std::size_t number,
                                             std::unique_ptr<world::Transport> transport);

}  // namespace conformance::recorded
