#include "conformance/recorded/pool_upstream.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "conformance/recorded/h2_frames.h"
#include "wire/http1/parser.h"

namespace conformance::recorded {

using Kind = PoolEvents::Kind;
using nlohmann::json;

namespace {

constexpr std::uint16_t kPort = 8080;
constexpr int kMaxConcurrentStreams = 3;  // the setting's number

/// The x-id of a request, or its path without the slash.
std::string id_of(std::string_view x_id, std::string_view target) {
  if (!x_id.empty()) return std::string(x_id);
  return std::string(target.substr(std::min<std::size_t>(target.size(), 1)));
}

std::string body_of(const std::string& id) {
  return "ok-" + id;
}

}  // namespace

/// One connection, of either protocol.
class PoolUpstreamConnection : public world::TransportEvents {
 public:
  struct Place {
    std::size_t host;
    std::size_t number;
  };
  PoolUpstreamConnection(world::World& world, std::unique_ptr<world::Transport> transport,
                         PoolEvents& events, Place place)
      : world_(world), transport_(std::move(transport)), events_(events), place_(place) {
    transport_->set_events(*this);
    note(Kind::Accept, "up_conn");
  }

  /// Whether that request waits for its answer here.
  virtual bool waits(const std::string& id) const = 0;
  virtual void respond(const std::string& id, int status, bool close, bool finish) = 0;
  virtual void reset_stream(const std::string&, std::uint32_t) {}
  virtual void goaway(std::uint32_t, std::int64_t) {}
  virtual void send_settings(std::uint32_t) {}
  /// Whether ends are told: an upstream of HTTP/1 does not listen while it has a request.
  virtual bool hears_ends() const = 0;

  void abort(bool reset) {
    if (over_) return;
    if (hears_ends()) note(Kind::Close, "up_close", "fin");
    end(reset);
  }
  std::uint64_t newest(const std::string& id) const {
    const auto found = requests_.find(id);
    return found == requests_.end() ? 0 : found->second;
  }
  bool open() const { return !over_; }

 protected:
  void note(Kind kind, std::string what, std::string rest = {}) {
    events_.upstream(kind, std::move(what), place_.host, place_.number, std::move(rest));
    events_.touch(world_.now());
  }
  void request_came(const std::string& id) {
    // A record's world has one thread and one clock of requests.
    requests_[id] = static_cast<std::uint64_t>(world_.now().time_since_epoch().count()) + 1;
    note(Kind::Request, "up_req", id);
  }
  void write(std::string_view bytes) {
    events_.touch(world_.now());
    if (!over_) transport_->write(bytes);
  }
  void end(bool reset) {
    events_.touch(world_.now());
    over_ = true;
    if (reset) {
      transport_->reset();
    } else {
      transport_->close();
    }
  }
  void on_end() override {
    if (over_) return;
    if (hears_ends()) note(Kind::Close, "up_close", "fin");
    over_ = true;
    transport_->close();
  }
  void on_error(std::error_code) override {
    if (over_) return;
    if (hears_ends()) note(Kind::Close, "up_close", "rst");
    over_ = true;
  }

  world::World& world_;
  std::unique_ptr<world::Transport> transport_;
  PoolEvents& events_;
  Place place_;
  bool over_ = false;
  std::map<std::string, std::uint64_t> requests_;  // id: when it came
};

namespace {

class Http1PoolConnection final : public PoolUpstreamConnection,
                                  private wire::http1::RequestParser::Events {
 public:
  using PoolUpstreamConnection::PoolUpstreamConnection;

  void respond(const std::string& id, int status, bool close, bool finish) override {
    const std::string body = body_of(id);
    outstanding_ = false;
    write(fmt::format("HTTP/1.1 {} X\r\n{}content-length: {}\r\n\r\n{}", status,
                      close ? "connection: close\r\n" : "", body.size(), body));
    if (finish && !over_) end(false);
  }
  bool hears_ends() const override { return !outstanding_; }
  bool waits(const std::string& id) const override { return outstanding_ && id == id_; }

 private:
  void on_data(std::string_view bytes) override {
    events_.touch(world_.now());
    while (!bytes.empty() && !over_) {
      const std::size_t used = parser_.feed(bytes, *this);
      if (used == 0) return;
      bytes.remove_prefix(used);
    }
  }
  void on_head(wire::RequestHead& head) override {
    id_ = id_of(head.headers.get("x-id"), head.target);
  }
  void on_body(std::string_view) override {}
  void on_complete() override {
    outstanding_ = true;
    request_came(id_);
  }

  wire::http1::RequestParser parser_;
  std::string id_;
  bool outstanding_ = false;
};

class Http2PoolConnection final : public PoolUpstreamConnection {
 public:
  Http2PoolConnection(world::World& world, std::unique_ptr<world::Transport> transport,
                      PoolEvents& events, Place place, std::uint32_t max_streams)
      : PoolUpstreamConnection(world, std::move(transport), events, place) {
    send_settings(max_streams);
  }

  void respond(const std::string& id, int status, bool, bool finish) override {
    const std::uint32_t stream = streams_[id];
    write(h2::headers_frames(stream, {{":status", std::to_string(status)}}, false) +
          h2::data_frame(stream, body_of(id), true));
    ids_.erase(stream);
    if (finish && !over_) {
      note(Kind::Close, "up_close", "fin");
      end(false);
    }
  }
  void reset_stream(const std::string& id, std::uint32_t code) override {
    write(h2::rst_stream_frame(streams_[id], code));
    ids_.erase(streams_[id]);
  }
  void goaway(std::uint32_t code, std::int64_t last) override {
    write(h2::goaway_frame(last < 0 ? highest_ : static_cast<std::uint32_t>(last), code));
  }
  void send_settings(std::uint32_t max_streams) override {
    write(h2::settings_frame(json::array({{kMaxConcurrentStreams, max_streams}})));
  }
  bool hears_ends() const override { return true; }
  bool waits(const std::string& id) const override {
    const auto stream = streams_.find(id);
    return stream != streams_.end() && ids_.count(stream->second) != 0;
  }

 private:
  void on_data(std::string_view bytes) override {
    events_.touch(world_.now());
    const std::size_t preface = std::min(bytes.size(), preface_left_);
    preface_left_ -= preface;
    reader_.add(bytes.substr(preface));
    for (h2::Frame frame; !over_ && reader_.next(frame);) take(frame);
  }
  void take(const h2::Frame& frame) {
    using h2::Type;
    if (frame.is(Type::Settings) && !frame.ack()) write(h2::settings_ack());
    if (frame.is(Type::Ping) && !frame.ack()) write(h2::ping_frame(frame.payload, true));
    if (frame.is(Type::Headers) && ids_.count(frame.stream) == 0) {
      std::string x_id;
      std::string path;
      for (const auto& [name, value] : h2::headers_of(frame.record.at("headers"))) {
        if (name == "x-id") x_id = value;
        if (name == ":path") path = value;
      }
      highest_ = std::max(highest_, frame.stream);
      ids_[frame.stream] = id_of(x_id, path);
    }
    const auto id = ids_.find(frame.stream);
    if ((frame.is(Type::Headers) || frame.is(Type::Data)) && frame.end_stream() &&
        id != ids_.end()) {
      streams_[id->second] = frame.stream;
      request_came(id->second);
    }
    if (frame.is(Type::RstStream)) {
      const std::string name = id == ids_.end() ? "" : id->second;
      note(Kind::Request, "up_stream_reset", fmt::format("{} {}", name, code_of(frame, 0)));
      ids_.erase(frame.stream);
    }
    if (frame.is(Type::GoAway)) note(Kind::GoAway, "up_goaway", std::to_string(code_of(frame, 4)));
  }
  static std::uint32_t code_of(const h2::Frame& frame, std::size_t at) {
    std::uint32_t code = 0;
    for (std::size_t i = at; i < at + 4 && i < frame.payload.size(); ++i) {
      code = code << 8 | static_cast<unsigned char>(frame.payload[i]);
    }
    return code;
  }

  h2::Reader reader_;
  std::size_t preface_left_ = h2::kPreface.size();
  std::map<std::uint32_t, std::string> ids_;      // of open streams
  std::map<std::string, std::uint32_t> streams_;  // of the newest request of each id
  std::uint32_t highest_ = 0;
};

}  // namespace

PoolUpstream::PoolUpstream(world::World& world, const Options& options, PoolEvents& events)
    : world_(world), options_(options), events_(events) {}

PoolUpstream::~PoolUpstream() = default;

void PoolUpstream::listen(bool listening) {
  listener_.reset();
  if (!listening) return;
  auto listener = world_.listen({0, kPort}, *this);
  if (listener) listener_ = std::move(*listener);
}

void PoolUpstream::on_accept(std::unique_ptr<world::Transport> transport) {
  const PoolUpstreamConnection::Place place{options_.host, connections_.size() + 1};
  if (options_.protocol == Protocol::Http1) {
    connections_.push_back(
        std::make_unique<Http1PoolConnection>(world_, std::move(transport), events_, place));
  } else {
    connections_.push_back(std::make_unique<Http2PoolConnection>(
        world_, std::move(transport), events_, place, options_.max_streams));
  }
}

std::uint64_t PoolUpstream::newest(const std::string& id) const {
  const PoolUpstreamConnection* const connection = find(id);
  return connection == nullptr ? 0 : connection->newest(id);
}

PoolUpstreamConnection* PoolUpstream::find(const std::string& id) const {
  PoolUpstreamConnection* newest = nullptr;
  for (const auto& connection : connections_) {
    const std::uint64_t when = connection->newest(id);
    if (when != 0 && (newest == nullptr || when >= newest->newest(id))) newest = connection.get();
  }
  return newest;
}

bool PoolUpstream::respond(const std::string& id, int status, bool close, bool finish) {
  PoolUpstreamConnection* const connection = find(id);
  if (connection == nullptr || !connection->open() || !connection->waits(id)) return false;
  connection->respond(id, status, close, finish);
  return true;
}

bool PoolUpstream::abort(const std::string& id, bool reset) {
  PoolUpstreamConnection* const connection = find(id);
  if (connection == nullptr || !connection->open()) return false;
  connection->abort(reset);
  return true;
}

bool PoolUpstream::reset_stream(const std::string& id, std::uint32_t code) {
  PoolUpstreamConnection* const connection = find(id);
  if (connection == nullptr || !connection->open() || !connection->waits(id)) return false;
  connection->reset_stream(id, code);
  return true;
}

bool PoolUpstream::goaway(const std::string& id, std::uint32_t code, std::int64_t last) {
  PoolUpstreamConnection* const connection = find(id);
  if (connection == nullptr || !connection->open()) return false;
  connection->goaway(code, last);
  return true;
}

bool PoolUpstream::send_settings(std::uint32_t max_streams) {
  if (connections_.empty()) return false;
  connections_.back()->send_settings(max_streams);
  return true;
}

}  // namespace conformance::recorded
