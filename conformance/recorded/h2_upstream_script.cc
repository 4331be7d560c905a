#include <algorithm>
#include <map>

#include "conformance/latin1.h"
#include "conformance/recorded/h2_frames.h"
#include "conformance/recorded/upstream_connection.h"

namespace conformance::recorded {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

class Http2Connection;

/// One request's stream: works through what its action says.
class UpstreamStream {
 public:
  UpstreamStream(Http2Connection& owner, std::uint32_t id);

  bool acting() const { return acting_; }
  void act(const json& action);

 private:
  /// One thing to do after a request.
  struct Deed {
    enum class Kind : std::uint8_t { Pause, Send, Close, Reset };
    Kind kind = Kind::Pause;
    std::int64_t millis = 0;
    std::string bytes;
  };

  void plan(const json& action);
  void plan_answer(const json& action);
  void pause(const json& millis) { deeds_.push_back({Deed::Kind::Pause, millis, {}}); }
  /// What is sent at one instant is one write: no reader comes in between.
  void send(std::string_view bytes) {
    if (deeds_.empty() || deeds_.back().kind != Deed::Kind::Send) {
      deeds_.push_back({Deed::Kind::Send, 0, {}});
    }
    deeds_.back().bytes += bytes;
  }
  void work();

  Http2Connection& owner_;
  std::uint32_t id_;
  world::Timer timer_;
  std::vector<Deed> deeds_;
  std::size_t next_ = 0;
  bool acting_ = false;
};

/// One connection of an HTTP/2 upstream. Streams act beside each other.
///
/// Source: the vocabulary of the observations, section 2.2.
class Http2Connection final : public UpstreamConnection {
 public:
  Http2Connection(UpstreamScript& script, std::size_t number,
                  std::unique_ptr<world::Transport> transport)
      : UpstreamConnection(script, number, std::move(transport)),
        reader_(h2::header_table_of(script.script.value("settings", json::array()))) {}

  void open() override {
    send(h2::settings_frame(script_.script.value("settings", json::array())));
  }

  void on_data(std::string_view bytes) override {
    if (over_) return;
    const std::size_t preface = std::min(bytes.size(), preface_left_);
    preface_left_ -= preface;
    reader_.add(bytes.substr(preface));
    for (h2::Frame frame; !over_ && reader_.next(frame);) take(frame);
  }
  void on_end() override {
    if (over_) return;
    over_ = true;
    transport_->close();
  }
  void on_error(std::error_code) override { over_ = true; }

  world::World& world() { return script_.world; }

  void send(std::string_view bytes) {
    if (!over_) transport_->write(bytes);
  }
  void end(bool reset) {
    if (over_) return;
    over_ = true;
    if (reset) {
      transport_->reset();
    } else {
      transport_->close();
    }
  }

 private:
  void take(const h2::Frame& frame) {
    using h2::Type;
    const bool of_settings =
        (frame.is(Type::Settings) && !frame.ack()) || frame.is(Type::WindowUpdate);
    if (frame.is(Type::Headers) || frame.is(Type::Data) || frame.is(Type::RstStream) ||
        frame.is(Type::GoAway) || (of_settings && script_.script.value("record_settings", false))) {
      note({{"frame", frame.record}});
    }
    if (frame.is(Type::Settings) && !frame.ack()) send(h2::settings_ack());
    if (frame.is(Type::Ping) && !frame.ack()) send(h2::ping_frame(frame.payload, true));
    if (frame.is(Type::Data) && !frame.payload.empty()) {
      const auto size = static_cast<std::uint32_t>(frame.payload.size());
      send(h2::window_update_frame(0, size) + h2::window_update_frame(frame.stream, size));
    }
    if (frame.is(Type::Headers) || frame.is(Type::Data)) act(frame);
  }

  /// The i-th request gets the i-th action: when it is whole, or at its head if that action says
  /// so.
  void act(const h2::Frame& frame) {
    const bool head = streams_.count(frame.stream) == 0;
    UpstreamStream& stream = streams_.try_emplace(frame.stream, *this, frame.stream).first->second;
    if (stream.acting()) return;
    if (frame.end_stream() || (head && script_.next_action().value("on", "") == "head")) {
      stream.act(script_.take_action());
    }
  }

  h2::Reader reader_;
  std::size_t preface_left_ = h2::kPreface.size();
  std::map<std::uint32_t, UpstreamStream> streams_;
};

UpstreamStream::UpstreamStream(Http2Connection& owner, std::uint32_t id)
    : owner_(owner),
      id_(id),
      timer_(owner.world().timer(world::bind<&UpstreamStream::work>(this))) {}

void UpstreamStream::act(const json& action) {
  acting_ = true;
  plan(action);
  work();
}

void UpstreamStream::plan(const json& action) {
  if (action.contains("delay_ms")) pause(action["delay_ms"]);
  if (action.value("hang", false)) return;
  if (action.contains("goaway")) {
    send(h2::goaway_frame(action["goaway"].value("last", 0U), action["goaway"].value("error", 0U)));
  }
  if (action.contains("rst") && !action.contains("headers")) {
    send(h2::rst_stream_frame(id_, action["rst"]));
    return;
  }
  const std::string then = action.value("then", "");
  if (then == "close_before" || then == "reset_before") {
    deeds_.push_back({then == "close_before" ? Deed::Kind::Close : Deed::Kind::Reset, 0, {}});
    return;
  }
  plan_answer(action);
  // As measured (record h2-upstream-close-after-headers): a stream that stays open keeps its
  // connection.
  if (then == "close" && !action.value("open", false)) {
    pause(20);
    deeds_.push_back({Deed::Kind::Close, 0, {}});
  }
  for (const json& step : action.value("tunnel", json::array())) {
    if (step.contains("send")) {
      send(h2::data_frame(id_, to_latin1(step["send"].get<std::string>()), false));
    }
    if (step.contains("sleep_ms")) pause(step["sleep_ms"]);
    if (step.contains("end")) send(h2::data_frame(id_, {}, true));
  }
}

void UpstreamStream::plan_answer(const json& action) {
  for (const json& list : action.value("informational", json::array())) {
    send(h2::headers_frames(id_, h2::headers_of(list), false));
  }
  const bool given = action.contains("headers");
  const h2::Headers headers = given ? h2::headers_of(action["headers"])
                                    : h2::Headers{{":status", "200"}, {"content-length", "2"}};
  const std::string data = to_latin1(action.value("data", given ? "" : "ok"));
  const bool more =
      action.contains("trailers") || action.contains("rst") || action.value("open", false);
  send(h2::headers_frames(id_, headers, data.empty() && !more));
  if (!data.empty()) send(h2::data_frame(id_, data, !more));
  if (action.contains("gap_ms")) pause(action["gap_ms"]);
  if (action.contains("trailers")) {
    send(h2::headers_frames(id_, h2::headers_of(action["trailers"]), true));
  }
  if (action.contains("rst")) send(h2::rst_stream_frame(id_, action["rst"]));
}

void UpstreamStream::work() {
  while (next_ < deeds_.size()) {
    const Deed& deed = deeds_[next_++];
    switch (deed.kind) {
      case Deed::Kind::Pause:
        timer_.start_after(std::chrono::milliseconds(deed.millis));
        return;
      case Deed::Kind::Send:
        owner_.send(deed.bytes);
        break;
      case Deed::Kind::Close:
      case Deed::Kind::Reset:
        owner_.end(deed.kind == Deed::Kind::Reset);
        return;
    }
  }
}

}  // namespace

std::unique_ptr<UpstreamConnection> http2_connection(UpstreamScript& script, std::size_t number,
                                                     std::unique_ptr<world::Transport> transport) {
  return std::make_unique<Http2Connection>(script, number, std::move(transport));
}

}  // namespace conformance::recorded
